"""Programs on sequences: a character model whose hidden state is carried on, a translator with attention, a GPT."""


def char_rnn(torch, nn, F, optim, utils):
    import math

    class CharRNN(nn.Module):
        def __init__(self, vocab, n_hidden=10, n_layers=2, drop_prob=0.0):
            super().__init__()
            self.n_layers, self.n_hidden = n_layers, n_hidden
            self.encoder = nn.Embedding(vocab, 6)
            self.lstm = nn.LSTM(6, n_hidden, n_layers, dropout=drop_prob, batch_first=True)
            self.dropout = nn.Dropout(drop_prob)
            self.fc = nn.Linear(n_hidden, vocab)
            self.init_weights()

        def init_weights(self):
            initrange = 0.1
            self.fc.bias.data.zero_()
            self.fc.weight.data.uniform_(-initrange, initrange)
            for names in self.lstm._all_weights if hasattr(self.lstm, "_all_weights") else []:
                for name in filter(lambda n: "bias" in n, names):
                    bias = getattr(self.lstm, name)
                    n = bias.size(0)
                    bias.data[n // 4 : n // 2].fill_(1.0)

        def forward(self, x, hidden):
            r_output, hidden = self.lstm(self.encoder(x), hidden)
            out = self.dropout(r_output)
            out = out.contiguous().view(-1, self.n_hidden)
            return self.fc(out), hidden

        def init_hidden(self, batch_size):
            weight = next(self.parameters()).data
            return (
                weight.new(self.n_layers, batch_size, self.n_hidden).zero_(),
                weight.new_zeros(self.n_layers, batch_size, self.n_hidden),
            )

    def repackage_hidden(h):
        if isinstance(h, torch.Tensor):
            return h.detach()
        return tuple(repackage_hidden(v) for v in h)

    def train(model, rng):
        text = torch.from_numpy(rng.integers(0, 12, (3, 31)))
        criterion = nn.CrossEntropyLoss()
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        h = model.init_hidden(3)
        losses = []
        for i in range(0, 30, 6):
            inputs, targets = text[:, i : i + 6], text[:, i + 1 : i + 7]
            h = repackage_hidden(h) if i % 12 else tuple([each.data for each in h])
            model.zero_grad()
            output, h = model(inputs, h)
            loss = criterion(output, targets.reshape(3 * 6).long())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5)
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        h = model.init_hidden(1)
        token, sampled = torch.tensor([[3]]), []
        with torch.no_grad():
            for _ in range(4):
                out, h = model(token, h)
                p = F.softmax(out, dim=1).data
                p, top_ch = p.topk(5)
                token = top_ch.squeeze()[:1].view(1, 1)
                sampled.append(token.item())
        return [*losses, math.exp(losses[-1]), *sampled]

    return lambda: CharRNN(12), train


def seq2seq_with_attention(torch, nn, F, optim, utils):
    SOS, EOS, MAX_LENGTH = 0, 1, 7

    class EncoderRNN(nn.Module):
        def __init__(self, input_size, hidden_size, dropout_p=0.0):
            super().__init__()
            self.hidden_size = hidden_size
            self.embedding = nn.Embedding(input_size, hidden_size)
            self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)
            self.dropout = nn.Dropout(dropout_p)

        def forward(self, input):
            embedded = self.dropout(self.embedding(input))
            return self.gru(embedded)

    class BahdanauAttention(nn.Module):
        def __init__(self, hidden_size):
            super().__init__()
            self.Wa = nn.Linear(hidden_size, hidden_size)
            self.Ua = nn.Linear(hidden_size, hidden_size)
            self.Va = nn.Linear(hidden_size, 1)

        def forward(self, query, keys):
            scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys)))
            scores = scores.squeeze(2).unsqueeze(1)
            weights = F.softmax(scores, dim=-1)
            context = torch.bmm(weights, keys)
            return context, weights

    class AttnDecoderRNN(nn.Module):
        def __init__(self, hidden_size, output_size):
            super().__init__()
            self.embedding = nn.Embedding(output_size, hidden_size)
            self.attention = BahdanauAttention(hidden_size)
            self.gru = nn.GRU(2 * hidden_size, hidden_size, batch_first=True)
            self.out = nn.Linear(hidden_size, output_size)

        def forward(self, encoder_outputs, encoder_hidden, target_tensor=None):
            batch_size = encoder_outputs.size(0)
            decoder_input = torch.empty(batch_size, 1, dtype=torch.long, device="cpu").fill_(SOS)
            decoder_hidden = encoder_hidden
            decoder_outputs, attentions = [], []
            for i in range(MAX_LENGTH):
                decoder_output, decoder_hidden, attn_weights = self.forward_step(decoder_input, decoder_hidden, encoder_outputs)
                decoder_outputs.append(decoder_output)
                attentions.append(attn_weights)
                if target_tensor is not None:
                    decoder_input = target_tensor[:, i].unsqueeze(1)
                else:
                    _, topi = decoder_output.topk(1)
                    decoder_input = topi.squeeze(-1).detach()
            decoder_outputs = torch.cat(decoder_outputs, dim=1)
            decoder_outputs = F.log_softmax(decoder_outputs, dim=-1)
            return decoder_outputs, decoder_hidden, torch.cat(attentions, dim=1)

        def forward_step(self, input, hidden, encoder_outputs):
            embedded = self.embedding(input)
            query = hidden.permute(1, 0, 2)
            context, attn_weights = self.attention(query, encoder_outputs)
            input_gru = torch.cat((embedded, context), dim=2)
            output, hidden = self.gru(input_gru, hidden)
            return self.out(output), hidden, attn_weights

    class Seq2Seq(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = EncoderRNN(11, 8), AttnDecoderRNN(8, 13)

        def forward(self, source, target=None):
            outputs, hidden = self.encoder(source)
            return self.decoder(outputs, hidden, target)

    def train(model, rng):
        source = torch.tensor(rng.integers(2, 11, (4, 6)).tolist(), dtype=torch.long, device="cpu")
        target = torch.tensor(rng.integers(2, 13, (4, MAX_LENGTH)).tolist(), dtype=torch.long).view(4, -1)
        enc_opt = optim.Adam(model.encoder.parameters(), lr=0.01)
        dec_opt = optim.Adam(model.decoder.parameters(), lr=0.01)
        criterion = nn.NLLLoss(ignore_index=12)
        losses = []
        for _ in range(5):
            enc_opt.zero_grad()
            dec_opt.zero_grad()
            outputs, _, _ = model(source, target)
            loss = criterion(outputs.view(-1, outputs.size(-1)), target.view(-1))
            loss.backward()
            enc_opt.step()
            dec_opt.step()
            losses.append(loss.item())
        with torch.no_grad():
            outputs, _, attention = model(source)
            _, topi = outputs.topk(1)
            ids = topi.squeeze()
            words = [idx.item() for idx in ids[0] if idx.item() != EOS]
        lengths = [6, 4, 3, 1]
        packed = nn.utils.rnn.pack_padded_sequence(model.encoder.embedding(source), lengths, batch_first=True)
        packed_output, hidden = model.encoder.gru(packed)
        unpacked, sizes = nn.utils.rnn.pad_packed_sequence(packed_output, batch_first=True)
        padded = nn.utils.rnn.pad_sequence([source[i, :n] for i, n in enumerate(lengths)], batch_first=True, padding_value=-1)
        packs = [unpacked.sum().item(), hidden.sum().item(), packed_output.data.pow(2).mean().item()]
        return [*losses, attention.sum().item(), *words, *packs, *sizes.tolist(), *padded.flatten().tolist()]

    return Seq2Seq, train


def nano_gpt(torch, nn, F, optim, utils):
    import inspect
    import math
    from dataclasses import dataclass

    @dataclass
    class GPTConfig:
        block_size: int = 8
        vocab_size: int = 17
        n_layer: int = 2
        n_head: int = 2
        n_embd: int = 8
        dropout: float = 0.0
        bias: bool = True

    class LayerNorm(nn.Module):
        def __init__(self, ndim, bias):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(ndim))
            self.bias = nn.Parameter(torch.zeros(ndim)) if bias else None

        def forward(self, input):
            return F.layer_norm(input, self.weight.shape, self.weight, self.bias, 1e-5)

    class CausalSelfAttention(nn.Module):
        def __init__(self, config, flash):
            super().__init__()
            assert config.n_embd % config.n_head == 0
            self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
            self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
            self.attn_dropout = nn.Dropout(config.dropout)
            self.resid_dropout = nn.Dropout(config.dropout)
            self.n_head, self.n_embd, self.dropout = config.n_head, config.n_embd, config.dropout
            self.flash = flash and hasattr(torch.nn.functional, "scaled_dot_product_attention")
            if not self.flash:
                self.register_buffer(
                    "bias",
                    torch.tril(torch.ones(config.block_size, config.block_size)).view(
                        1, 1, config.block_size, config.block_size
                    ),
                )

        def forward(self, x):
            B, T, C = x.size()
            q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
            k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
            q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
            v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
            if self.flash:
                y = torch.nn.functional.scaled_dot_product_attention(
                    q, k, v, attn_mask=None, dropout_p=self.dropout if self.training else 0, is_causal=True
                )
            else:
                att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
                att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
                att = F.softmax(att, dim=-1)
                att = self.attn_dropout(att)
                y = att @ v
            y = y.transpose(1, 2).contiguous().view(B, T, C)
            return self.resid_dropout(self.c_proj(y))

    class MLP(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
            self.gelu = nn.GELU()
            self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias)
            self.dropout = nn.Dropout(config.dropout)

        def forward(self, x):
            return self.dropout(self.c_proj(self.gelu(self.c_fc(x))))

    class Block(nn.Module):
        def __init__(self, config, flash):
            super().__init__()
            self.ln_1 = LayerNorm(config.n_embd, bias=config.bias)
            self.attn = CausalSelfAttention(config, flash)
            self.ln_2 = LayerNorm(config.n_embd, bias=config.bias)
            self.mlp = MLP(config)

        def forward(self, x):
            x = x + self.attn(self.ln_1(x))
            x = x + self.mlp(self.ln_2(x))
            return x

    class GPT(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config = config
            self.transformer = nn.ModuleDict(
                dict(
                    wte=nn.Embedding(config.vocab_size, config.n_embd),
                    wpe=nn.Embedding(config.block_size, config.n_embd),
                    drop=nn.Dropout(config.dropout),
                    h=nn.ModuleList([Block(config, flash) for flash in (False, True)]),
                    ln_f=LayerNorm(config.n_embd, bias=config.bias),
                )
            )
            self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
            self.transformer.wte.weight = self.lm_head.weight
            self.apply(self._init_weights)
            for pn, p in self.named_parameters():
                if pn.endswith("c_proj.weight"):
                    torch.nn.init.normal_(p, mean=0.0, std=0.02 / math.sqrt(2 * config.n_layer))

        def get_num_params(self, non_embedding=True):
            n_params = sum(p.numel() for p in self.parameters())
            if non_embedding:
                n_params -= self.transformer.wpe.weight.numel()
            return n_params

        def _init_weights(self, module):
            if isinstance(module, nn.Linear):
                torch.nn.init.normal_(module.weight, mean=0.0, std=0.2)
                if module.bias is not None:
                    torch.nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                torch.nn.init.normal_(module.weight, mean=0.0, std=0.2)

        def forward(self, idx, targets=None):
            device = idx.device
            b, t = idx.size()
            pos = torch.arange(0, t, dtype=torch.long, device=device)
            tok_emb = self.transformer.wte(idx)
            pos_emb = self.transformer.wpe(pos)
            x = self.transformer.drop(tok_emb + pos_emb)
            for block in self.transformer.h:
                x = block(x)
            x = self.transformer.ln_f(x)
            if targets is not None:
                logits = self.lm_head(x)
                loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
            else:
                logits = self.lm_head(x[:, [-1], :])
                loss = None
            return logits, loss

        def configure_optimizers(self, weight_decay, learning_rate, betas, device_type):
            param_dict = {pn: p for pn, p in self.named_parameters()}
            param_dict = {pn: p for pn, p in param_dict.items() if p.requires_grad}
            decay_params = [p for n, p in param_dict.items() if p.dim() >= 2]
            nodecay_params = [p for n, p in param_dict.items() if p.dim() < 2]
            optim_groups = [
                {"params": decay_params, "weight_decay": weight_decay},
                {"params": nodecay_params, "weight_decay": 0.0},
            ]
            fused_available = "fused" in inspect.signature(torch.optim.AdamW).parameters
            use_fused = fused_available and device_type == "cuda"
            extra_args = dict(fused=True) if use_fused else dict()
            return torch.optim.AdamW(optim_groups, lr=learning_rate, betas=betas, **extra_args)

        @torch.no_grad()
        def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):
            for _ in range(max_new_tokens):
                idx_cond = idx if idx.size(1) <= self.config.block_size else idx[:, -self.config.block_size :]
                logits, _ = self(idx_cond)
                logits = logits[:, -1, :] / temperature
                if top_k is not None:
                    v, _ = torch.topk(logits, min(top_k, logits.size(-1)))
                    logits[logits < v[:, [-1]]] = -float("Inf")
                probs = F.softmax(logits, dim=-1)
                idx_next = torch.multinomial(probs, num_samples=1)
                idx = torch.cat((idx, idx_next), dim=1)
            return idx

    def train(model, rng):
        torch.manual_seed(1337)
        data = rng.integers(0, 17, 200).astype("uint16")
        optimizer = model.configure_optimizers(0.1, 1e-2, (0.9, 0.95), "cpu")
        losses = []
        for it in range(5):
            lr = 1e-2 * (it + 1) / 5
            for param_group in optimizer.param_groups:
                param_group["lr"] = lr
            ix = rng.integers(0, 190, (3,))
            x = torch.stack([torch.from_numpy((data[i : i + 8]).astype("int64")) for i in ix])
            y = torch.stack([torch.from_numpy((data[i + 1 : i + 9]).astype("int64")) for i in ix])
            x, y = x.to("cpu"), y.to("cpu")
            logits, loss = model(x, y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(loss.item())
        model.eval()
        greedy = model.generate(torch.zeros((1, 1), dtype=torch.long), max_new_tokens=12, top_k=1)
        return [*losses, *greedy[0].tolist(), model.get_num_params()]

    return lambda: GPT(GPTConfig()), train
