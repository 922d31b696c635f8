"""Programs that train in their own way: triplets, a policy gradient, second-order inner loops, averages and checkpoints."""


def siamese(torch, nn, F, optim, utils):
    class EmbeddingNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.convnet = nn.Sequential(
                nn.Conv2d(1, 4, 3), nn.PReLU(), nn.MaxPool2d(2, stride=2), nn.Conv2d(4, 8, 3), nn.PReLU(), nn.AvgPool2d(2)
            )
            self.fc = nn.Sequential(nn.Linear(8 * 2 * 2, 16), nn.PReLU(), nn.Linear(16, 3))

        def forward(self, x):
            output = self.convnet(x)
            output = output.view(output.size()[0], -1)
            return self.fc(output)

        def get_embedding(self, x):
            return F.normalize(self.forward(x), p=2, dim=1)

    class ContrastiveLoss(nn.Module):
        def __init__(self, margin=1.0):
            super().__init__()
            self.margin = margin
            self.eps = 1e-9

        def forward(self, output1, output2, target, size_average=True):
            distances = (output2 - output1).pow(2).sum(1)
            losses = 0.5 * (
                target.float() * distances
                + (1 + -1 * target).float() * F.relu(self.margin - (distances + self.eps).sqrt()).pow(2)
            )
            return losses.mean() if size_average else losses.sum()

    def pdist(vectors):
        return -2 * vectors.mm(vectors.t()) + vectors.pow(2).sum(dim=1).view(1, -1) + vectors.pow(2).sum(dim=1).view(-1, 1)

    def train(model, rng):
        images = [torch.tensor(rng.standard_normal((4, 1, 14, 14))) for _ in range(3)]
        target = torch.tensor([1, 0, 0, 1])
        triplet = nn.TripletMarginLoss(margin=1.0, p=2)
        contrastive = ContrastiveLoss(1.0)
        cosine = nn.CosineEmbeddingLoss(margin=0.2)
        params = [{"params": model.convnet.parameters(), "lr": 0.01}, {"params": model.fc.parameters()}]
        optimizer = optim.SGD(params, lr=0.02, momentum=0.9)
        scheduler = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 4], gamma=0.1)
        losses = []
        for _ in range(5):
            anchor, positive, negative = map(model, images)
            loss = triplet(anchor, positive, negative)
            loss = loss + contrastive(anchor, positive, target)
            loss += 0.1 * cosine(anchor, negative, torch.where(target == 1, 1, -1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.data.item())
        e1, e2 = (model.get_embedding(x) for x in images[:2])
        distance = F.pairwise_distance(e1, e2)
        similarity = F.cosine_similarity(e1, e2, dim=-1)
        matches = (distance < 1.0).cpu().numpy().astype(int)
        off = pdist(e1)[~torch.eye(4, dtype=torch.bool)]
        hard = pdist(e1).fill_diagonal_(0).max(dim=1)[0]
        return [*losses, *distance.tolist(), *similarity.tolist(), matches.sum(), off.sum().item(), hard.sum().item()]

    return EmbeddingNet, train


def policy_gradient(torch, nn, F, optim, utils):
    class Categorical:
        def __init__(self, logits):
            self.logits = logits - logits.logsumexp(dim=-1, keepdim=True)

        @property
        def probs(self):
            return self.logits.exp()

        def log_prob(self, value):
            value = value.long().unsqueeze(-1)
            return self.logits.gather(-1, value).squeeze(-1)

        def entropy(self):
            return -(self.logits * self.probs).sum(-1)

    class ActorCritic(nn.Module):
        def __init__(self):
            super().__init__()
            self.affine1 = nn.Linear(4, 16)
            self.action_head = nn.Linear(16, 3)
            self.value_head = nn.Linear(16, 1)
            self.saved_actions, self.rewards = [], []

        def forward(self, x):
            x = F.relu(self.affine1(x))
            return self.action_head(x), self.value_head(x)

    class QNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))

        def forward(self, x):
            return self.net(x)

    class Agent(nn.Module):
        def __init__(self):
            super().__init__()
            self.policy, self.q, self.target = ActorCritic(), QNet(), QNet()
            self.target.load_state_dict(self.q.state_dict())
            for p in self.target.parameters():
                p.requires_grad = False

    def train(model, rng):
        policy = model.policy
        optimizer = optim.Adam(policy.parameters(), lr=3e-2)
        q_optimizer = optim.RMSprop(filter(lambda p: p.requires_grad, model.q.parameters()), lr=1e-3)
        eps, gamma, out = 1e-8, 0.99, []
        for episode in range(5):
            states = rng.standard_normal((6, 4)).astype("float64")
            for state in states:
                state = torch.from_numpy(state).to(torch.float64).unsqueeze(0)
                logits, value = policy(state)
                dist = Categorical(logits)
                action = torch.tensor([rng.choice(3, p=dist.probs.detach().numpy()[0])])
                policy.saved_actions.append((dist.log_prob(action), value, dist.entropy()))
                policy.rewards.append(float(rng.standard_normal()))
            R, returns = 0, []
            for r in policy.rewards[::-1]:
                R = r + gamma * R
                returns.insert(0, R)
            returns = torch.tensor(returns)
            returns = (returns - returns.mean()) / (returns.std() + eps)
            policy_losses, value_losses, entropies = [], [], []
            for (log_prob, value, entropy), R in zip(policy.saved_actions, returns):
                advantage = R - value.item()
                policy_losses.append(-log_prob * advantage)
                value_losses.append(F.smooth_l1_loss(value.squeeze(), R))
                entropies.append(entropy)
            optimizer.zero_grad()
            loss = torch.cat(policy_losses).sum() + torch.stack(value_losses).sum() - 0.01 * torch.cat(entropies).mean()
            loss.backward()
            optimizer.step()
            del policy.rewards[:]
            del policy.saved_actions[:]
            out.append(loss.item())

            batch = torch.tensor(states)
            action_batch = torch.tensor(rng.integers(0, 3, (6, 1)))
            reward_batch = torch.cat([torch.tensor([float(r)]) for r in rng.standard_normal(6)])
            non_final_mask = torch.tensor([True, True, False, True, False, True], dtype=torch.bool)
            state_action_values = model.q(batch).gather(1, action_batch)
            next_state_values = torch.zeros(6)
            with torch.no_grad():
                next_state_values[non_final_mask] = model.target(batch[non_final_mask]).max(1).values
            expected = (next_state_values * gamma) + reward_batch
            q_loss = nn.SmoothL1Loss()(state_action_values, expected.unsqueeze(1))
            q_optimizer.zero_grad()
            q_loss.backward()
            for param in model.q.parameters():
                param.grad.data.clamp_(-1, 1)
            q_optimizer.step()
            for target_param, param in zip(model.target.parameters(), model.q.parameters()):
                target_param.data.copy_(0.1 * param.data + target_param.data * (1.0 - 0.1))
            out.append(q_loss.item())
        ratio = torch.exp(torch.tensor([0.5, -0.5]))
        clipped = torch.min(ratio * 2, torch.clamp(ratio, 1 - 0.2, 1 + 0.2) * 2)
        return [*out, *clipped.tolist()]

    return Agent, train


def maml(torch, nn, F, optim, utils):
    class Regressor(nn.Module):
        def __init__(self):
            super().__init__()
            self.vars = nn.ParameterList()
            for out_features, in_features in [(8, 1), (8, 8), (1, 8)]:
                w = nn.Parameter(torch.ones(out_features, in_features))
                torch.nn.init.kaiming_normal_(w)
                self.vars.append(w)
                self.vars.append(nn.Parameter(torch.zeros(out_features)))
            self.log_lr = nn.ParameterDict({"inner": nn.Parameter(torch.tensor(-3.0))})

        def forward(self, x, vars=None):
            if vars is None:
                vars = self.vars
            for i in range(0, len(vars), 2):
                x = F.linear(x, vars[i], vars[i + 1])
                if i < len(vars) - 2:
                    x = torch.tanh(x)
            return x

    def train(model, rng):
        meta_optimizer = optim.Adam(model.parameters(), lr=1e-2)
        out = []
        for _ in range(5):
            meta_loss = 0.0
            for task in range(2):
                amplitude, phase = rng.uniform(0.1, 5.0), rng.uniform(0, 3.14)
                x = torch.from_numpy(rng.uniform(-5, 5, (12, 1)))
                y = amplitude * torch.sin(x + phase)
                fast_weights = list(model.vars)
                for inner in range(2):
                    loss = F.mse_loss(model(x[:6], fast_weights), y[:6])
                    grad = utils.grad(loss, fast_weights, create_graph=True)
                    fast_weights = [w - model.log_lr["inner"].exp() * g for w, g in zip(fast_weights, grad)]
                meta_loss = meta_loss + F.mse_loss(model(x[6:], fast_weights), y[6:])
            meta_loss /= 2
            meta_optimizer.zero_grad()
            meta_loss.backward()
            meta_optimizer.step()
            out.append(meta_loss.item())
        x = torch.linspace(-1, 1, steps=5).unsqueeze(1).requires_grad_(True)
        output = model(x)
        gradients = utils.grad(
            outputs=output,
            inputs=x,
            grad_outputs=torch.ones_like(output, requires_grad=False),
            create_graph=True,
            retain_graph=True,
        )[0]
        penalty = ((gradients.view(x.size(0), -1).norm(2, dim=1) - 1) ** 2).mean()
        penalty.backward()
        return [*out, penalty.item(), model.vars[0].grad.abs().sum().item(), x.grad.sum().item()]

    return Regressor, train


def checkpoints_and_averages(torch, nn, F, optim, utils):
    import copy
    import os

    class EMA:
        def __init__(self, model, decay=0.9):
            self.decay = decay
            self.shadow = {name: p.data.clone() for name, p in model.named_parameters() if p.requires_grad}

        def update(self, model):
            for name, p in model.named_parameters():
                if p.requires_grad:
                    self.shadow[name] = (1.0 - self.decay) * p.data + self.decay * self.shadow[name]

    @torch.no_grad()
    def update_average(model_tgt, model_src, beta):
        for p_tgt, p_src in zip(model_tgt.parameters(), model_src.parameters()):
            p_tgt.mul_(beta).add_(p_src, alpha=1 - beta)
        for p_tgt, p_src in zip(model_tgt.parameters(), model_src.parameters()):
            p_tgt.data.mul_(beta).add_(p_src.data, alpha=1 - beta)
        for b_tgt, b_src in zip(model_tgt.buffers(), model_src.buffers()):
            b_tgt.copy_(b_src)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential()
            self.body.add_module("fc", nn.Linear(5, 8))
            self.body.add_module("norm", nn.BatchNorm1d(8))
            self.body.add_module("act", nn.ELU())
            self.heads = nn.ModuleDict({"class": nn.Linear(8, 3), "value": nn.Linear(8, 1)})
            self.log_vars = nn.Parameter(torch.zeros(2))
            self.register_buffer("step_count", torch.tensor(0))

        def forward(self, x):
            self.step_count += 1
            h = self.body(x)
            return {name: head(h) for name, head in self.heads.items()}

    def save_checkpoint(path, model, optimizer, scheduler, epoch):
        utils.save(
            {
                "epoch": epoch,
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "scheduler": scheduler.state_dict(),
            },
            path,
        )

    def train(model, rng):
        x = torch.tensor(rng.standard_normal((10, 5)), dtype=torch.double)
        labels = torch.tensor(rng.integers(0, 3, size=10))
        values = torch.tensor(rng.standard_normal(10)).reshape(-1, 1)
        no_decay = ["bias", "norm"]
        groups = [
            {
                "params": [p for n, p in model.named_parameters() if not any(nd in n for nd in no_decay)],
                "weight_decay": 0.01,
            },
            {"params": [p for n, p in model.named_parameters() if any(nd in n for nd in no_decay)], "weight_decay": 0.0},
        ]
        optimizer = optim.AdamW(groups, lr=5e-2)
        scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=0)
        ema, average = EMA(model), copy.deepcopy(model)
        accumulation_steps, out = 2, []

        def step(model, optimizer, scheduler):
            optimizer.zero_grad()
            for micro in range(accumulation_steps):
                part = slice(micro * 5, micro * 5 + 5)
                outputs = model(x[part])
                class_loss = F.cross_entropy(outputs["class"], labels[part])
                value_loss = F.huber_loss(outputs["value"], values[part]) + F.l1_loss(outputs["value"], values[part])
                losses = torch.stack([class_loss, value_loss])
                loss = (torch.exp(-model.log_vars) * losses + model.log_vars).sum() / accumulation_steps
                l2_reg = torch.tensor(0.0)
                for param in model.parameters():
                    l2_reg = l2_reg + torch.norm(param) ** 2
                loss = loss + 1e-4 * l2_reg
                loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0, norm_type=2)
            optimizer.step()
            scheduler.step(loss.item())
            ema.update(model)
            return loss.item()

        for epoch in range(3):
            out.append(step(model, optimizer, scheduler))
            update_average(average, model, 0.5)
        path = os.path.join(utils.folder, utils.checkpoint)
        save_checkpoint(path, model, optimizer, scheduler, 3)

        resumed = Net()
        optimizer2 = optim.AdamW(
            [
                {"params": [p for n, p in resumed.named_parameters() if not any(nd in n for nd in no_decay)]},
                {"params": [p for n, p in resumed.named_parameters() if any(nd in n for nd in no_decay)]},
            ],
            lr=1.0,
        )
        scheduler2 = optim.lr_scheduler.ReduceLROnPlateau(optimizer2, mode="min", factor=0.5, patience=0)
        checkpoint = utils.load(path)
        resumed.load_state_dict(checkpoint["model"])
        optimizer2.load_state_dict(checkpoint["optimizer"])
        scheduler2.load_state_dict(checkpoint["scheduler"])
        start_epoch = checkpoint["epoch"]
        for epoch in range(start_epoch, 5):
            expected = step(model, optimizer, scheduler)
            assert step(resumed, optimizer2, scheduler2) == expected
            out.append(expected)
        for param in model.body.parameters():
            param.requires_grad = False
        assert all(p.grad is None or p.requires_grad is False for p in model.body.parameters())
        result = model.load_state_dict(average.state_dict(), strict=False)
        assert not result.missing_keys and not result.unexpected_keys
        weights = [v.sum().item() for v in ema.shadow.values()]
        state = {k: v.cpu() for k, v in average.state_dict().items() if "num_batches" not in k}
        return [*out, *weights, *[float(v.sum()) for v in state.values()], model.step_count.item()]

    return Net, train
