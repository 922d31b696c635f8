"""Programs with attention: a vision transformer, and a classifier of texts of unequal lengths."""


def vision_transformer(torch, nn, F, optim, utils):
    class PatchEmbedding(nn.Module):
        def __init__(self, img_size=8, patch_size=4, in_chans=3, embed_dim=12):
            super().__init__()
            self.img_size = img_size
            self.n_patches = (img_size // patch_size) ** 2
            self.proj = nn.Conv2d(in_chans, embed_dim, kernel_size=patch_size, stride=patch_size)

        def forward(self, x):
            B, C, H, W = x.shape
            assert self.img_size == H, f"Input size {H}*{W} doesn't match model"
            return self.proj(x).flatten(2).transpose(1, 2)

    class Attention(nn.Module):
        def __init__(self, dim, num_heads=3, qkv_bias=True, attn_drop=0.0):
            super().__init__()
            self.num_heads = num_heads
            self.scale = (dim // num_heads) ** -0.5
            self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
            self.attn_drop = nn.Dropout(attn_drop)
            self.proj = nn.Linear(dim, dim)

        def forward(self, x):
            B, N, C = x.shape
            qkv = self.qkv(x).reshape(B, N, 3, self.num_heads, C // self.num_heads).permute(2, 0, 3, 1, 4)
            q, k, v = qkv.unbind(0)
            attn = (q @ k.transpose(-2, -1)) * self.scale
            attn = attn.softmax(dim=-1)
            attn = self.attn_drop(attn)
            x = (attn @ v).transpose(1, 2).reshape(B, N, C)
            return self.proj(x)

    class DropPath(nn.Module):
        def __init__(self, drop_prob=0.0):
            super().__init__()
            self.drop_prob = drop_prob

        def forward(self, x):
            keep_prob = 1 - self.drop_prob
            shape = (x.shape[0],) + (1,) * (x.ndim - 1)
            random_tensor = keep_prob + torch.rand(shape, dtype=x.dtype, device=x.device)
            random_tensor.floor_()
            return x.div(keep_prob) * random_tensor

    class Block(nn.Module):
        def __init__(self, dim, mlp_ratio=2.0, act_layer=nn.GELU, norm_layer=nn.LayerNorm):
            super().__init__()
            self.norm1 = norm_layer(dim, eps=1e-6)
            self.attn = Attention(dim)
            self.drop_path = DropPath(0.0)
            self.norm2 = norm_layer(dim, eps=1e-6)
            hidden = int(dim * mlp_ratio)
            self.mlp = nn.Sequential(nn.Linear(dim, hidden), act_layer(), nn.Linear(hidden, dim))
            self.gamma = nn.Parameter(0.5 * torch.ones(dim), requires_grad=True)

        def forward(self, x):
            x = x + self.drop_path(self.attn(self.norm1(x)))
            x = x + self.gamma * self.mlp(self.norm2(x))
            return x

    class ViT(nn.Module):
        def __init__(self, depth=2, dim=12, num_classes=4):
            super().__init__()
            self.patch_embed = PatchEmbedding(embed_dim=dim)
            self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
            self.pos_embed = nn.Parameter(torch.randn(1, self.patch_embed.n_patches + 1, dim) * 0.02)
            self.blocks = nn.Sequential(*[Block(dim) for _ in range(depth)])
            self.norm = nn.LayerNorm(dim)
            self.head = nn.Linear(dim, num_classes) if num_classes > 0 else nn.Identity()
            nn.init.trunc_normal_(self.cls_token, std=0.02)
            self.apply(self._init_weights)

        def _init_weights(self, m):
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if isinstance(m, nn.Linear) and m.bias is not None:
                    nn.init.constant_(m.bias, 0)

        def forward(self, x):
            x = self.patch_embed(x)
            cls_tokens = self.cls_token.expand(x.shape[0], -1, -1)
            x = torch.cat((cls_tokens, x), dim=1)
            x = x + self.pos_embed
            x = self.norm(self.blocks(x))
            return self.head(x[:, 0])

    def train(model, rng):
        x = torch.from_numpy(rng.standard_normal((5, 3, 8, 8)))
        y = F.one_hot(torch.from_numpy(rng.integers(0, 4, 5)), num_classes=4).type(torch.float64)
        lam, index = 0.3, torch.from_numpy(rng.permutation(5))
        mixed_x = lam * x + (1 - lam) * x[index, :]
        mixed_y = lam * y + (1 - lam) * y[index]
        optimizer = optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.05, amsgrad=True)
        warmup = optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=lambda epoch: min(1.0, (epoch + 1) / 3))
        losses = []
        for epoch in range(5):
            logits = model(mixed_x)
            loss = torch.sum(-mixed_y * F.log_softmax(logits, dim=-1), dim=-1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            warmup.step()
            losses.append(loss.detach().cpu().numpy().item())
        return [*losses, model(x).argmax(-1).sum().item(), optimizer.param_groups[0]["lr"]]

    return ViT, train


def text_classifier(torch, nn, F, optim, utils):
    import math

    class PositionalEncoding(nn.Module):
        def __init__(self, d_model, dropout=0.0, max_len=50):
            super().__init__()
            self.dropout = nn.Dropout(p=dropout)
            pe = torch.zeros(max_len, d_model)
            position = torch.arange(0, max_len, dtype=torch.float64).unsqueeze(1)
            div_term = torch.exp(torch.arange(0, d_model, 2).double() * (-math.log(10000.0) / d_model))
            pe[:, 0::2] = torch.sin(position * div_term)
            pe[:, 1::2] = torch.cos(position * div_term)
            pe = pe.unsqueeze(0)
            self.register_buffer("pe", pe)

        def forward(self, x):
            x = x + self.pe[:, : x.size(1)]
            return self.dropout(x)

    class Classifier(nn.Module):
        def __init__(self, ntoken, d_model, nhead, d_hid, nlayers, n_class, dropout=0.0):
            super().__init__()
            self.embedding = nn.Embedding(ntoken, d_model, padding_idx=0)
            self.pos_encoder = PositionalEncoding(d_model, dropout)
            encoder_layer = nn.TransformerEncoderLayer(d_model, nhead, d_hid, dropout, batch_first=True)
            self.transformer_encoder = nn.TransformerEncoder(encoder_layer, nlayers, enable_nested_tensor=False)
            self.pool = nn.MultiheadAttention(d_model, nhead, batch_first=True)
            self.query = nn.Parameter(torch.empty(1, 1, d_model))
            self.classifier = nn.Linear(2 * d_model, n_class)
            self.d_model = d_model
            for p in self.parameters():
                if p.dim() > 1:
                    nn.init.xavier_uniform_(p)

        def forward(self, src, src_mask=None):
            padding = src == 0
            x = self.pos_encoder(self.embedding(src) * math.sqrt(self.d_model))
            x = self.transformer_encoder(x, mask=src_mask, src_key_padding_mask=padding)
            keep = (~padding).unsqueeze(-1).to(x.dtype)
            mean = (x * keep).sum(1) / keep.sum(1).clamp(min=1)
            pooled, weights = self.pool(
                self.query.expand(src.size(0), -1, -1), x, x, key_padding_mask=padding, need_weights=True
            )
            return self.classifier(torch.cat([mean, pooled.squeeze(1)], dim=-1)), weights

    def generate_square_subsequent_mask(sz):
        mask = (torch.triu(torch.ones(sz, sz)) == 1).transpose(0, 1)
        return mask.float().masked_fill(mask == 0, float("-inf")).masked_fill(mask == 1, 0.0)

    def train(model, rng):
        lengths = [6, 3, 5, 1]
        src = torch.zeros(4, 6, dtype=torch.long)
        for i, length in enumerate(lengths):
            src[i, :length] = torch.from_numpy(rng.integers(1, 9, length))
        y = torch.LongTensor([0, 2, 1, 2])
        mask = generate_square_subsequent_mask(6)
        causal = torch.triu(torch.full((6, 6), float("-inf")), diagonal=1)
        assert torch.allclose(mask.double(), causal.double())
        arange = torch.arange(6)[None, :] >= torch.tensor(lengths)[:, None]
        assert (arange == (src == 0)).all()
        optimizer = optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.98), eps=1e-9)
        scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=6)
        criterion = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5]))
        losses = []
        for step in range(5):
            logits, _ = model(src, torch.triu(torch.ones(6, 6), diagonal=1).bool())
            loss = criterion(logits, y)
            optimizer.zero_grad()
            loss.backward()
            total_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            scheduler.step()
            losses += [loss.item(), float(total_norm)]
        model.eval()
        with torch.no_grad():
            logits, weights = model(src)
            confusion = torch.zeros(3, 3, dtype=torch.int64)
            for t, p in zip(y.view(-1), logits.argmax(dim=1).view(-1)):
                confusion[t.long(), p.long()] += 1
        per_class = confusion.diag() / confusion.sum(1)
        return [*losses, *weights.flatten().tolist(), *per_class.tolist(), *confusion.flatten().tolist()]

    return lambda: Classifier(9, 8, 2, 16, 2, 3), train
