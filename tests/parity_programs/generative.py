"""Programs that make things: a variational autoencoder, a DCGAN, an autoencoder watched by hooks."""


def vae(torch, nn, F, optim, utils):
    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(36, 20)
            self.fc21 = nn.Linear(20, 4)
            self.fc22 = nn.Linear(20, 4)
            self.fc3 = nn.Linear(4, 20)
            self.fc4 = nn.Linear(20, 36)

        def encode(self, x):
            h1 = F.relu(self.fc1(x))
            return self.fc21(h1), self.fc22(h1)

        def reparameterize(self, mu, logvar, eps=None):
            std = torch.exp(0.5 * logvar)
            if eps is None:
                eps = torch.randn_like(std)
            return eps.mul(std).add_(mu)

        def decode(self, z):
            h3 = F.relu(self.fc3(z))
            return torch.sigmoid(self.fc4(h3))

        def forward(self, x, eps=None):
            mu, logvar = self.encode(x.view(-1, 36))
            z = self.reparameterize(mu, logvar, eps)
            return self.decode(z), mu, logvar

    def loss_function(recon_x, x, mu, logvar):
        BCE = F.binary_cross_entropy(recon_x, x.view(-1, 36), reduction="sum")
        KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return BCE + KLD

    def train(model, rng):
        x = torch.from_numpy(rng.random((6, 1, 6, 6)))
        optimizer = optim.Adam(model.parameters(), lr=1e-3)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            eps = torch.from_numpy(rng.standard_normal((6, 4)))
            recon_batch, mu, logvar = model(x, eps)
            loss = loss_function(recon_batch, x, mu, logvar)
            loss.backward()
            optimizer.step()
            losses.append(loss.item() / len(x))
        with torch.no_grad():
            sample = torch.randn(5, 4).to("cpu")
            sample = model.decode(sample).cpu()
            assert tuple(model(x)[0].shape) == (6, 36)
            comparison = torch.cat([x[:2], model(x, eps)[0].view(6, 1, 6, 6)[:2]])
        prior = torch.normal(torch.zeros(3, 4), torch.ones(3, 4))
        assert tuple(prior.shape) == (3, 4)
        return [*losses, *sample.view(5, 1, 6, 6).shape, comparison.sum().item()]

    return VAE, train


def dcgan(torch, nn, F, optim, utils):
    nz, ngf, ndf, nc = 5, 4, 4, 1

    def weights_init(m):
        classname = m.__class__.__name__
        if classname.find("Conv") != -1:
            nn.init.normal_(m.weight.data, 0.0, 0.02)
        elif classname.find("BatchNorm") != -1:
            nn.init.normal_(m.weight.data, 1.0, 0.02)
            nn.init.constant_(m.bias.data, 0)

    def weights_init_by_methods(m):
        classname = m.__class__.__name__
        if classname.find("Conv") != -1:
            m.weight.data.normal_(0.0, 0.02)
        elif classname.find("BatchNorm") != -1:
            m.weight.data.normal_(1.0, 0.02)
            m.bias.data.fill_(0)

    class Generator(nn.Module):
        def __init__(self, ngpu=0):
            super().__init__()
            self.ngpu = ngpu
            self.main = nn.Sequential(
                nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False),
                nn.BatchNorm2d(ngf * 2),
                nn.ReLU(True),
                nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
                nn.BatchNorm2d(ngf),
                nn.ReLU(True),
                nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False),
                nn.Tanh(),
            )

        def forward(self, input):
            return self.main(input)

    class Discriminator(nn.Module):
        def __init__(self, ngpu=0):
            super().__init__()
            self.main = nn.Sequential(
                nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
                nn.LeakyReLU(0.2, inplace=True),
                nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
                nn.BatchNorm2d(ndf * 2),
                nn.LeakyReLU(0.2, inplace=True),
                nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False),
                nn.Sigmoid(),
            )

        def forward(self, input):
            return self.main(input).view(-1, 1).squeeze(1)

    def build():
        netG, netD = Generator().to(torch.device("cpu")), Discriminator()
        netG.apply(weights_init)
        netD.apply(weights_init_by_methods)
        return nn.ModuleDict({"G": netG, "D": netD})

    def train(model, rng):
        netG, netD = model["G"], model["D"]
        device = torch.device("cpu")
        criterion = nn.BCELoss()
        optimizerD = optim.Adam(netD.parameters(), lr=0.002, betas=(0.5, 0.999))
        optimizerG = optim.Adam(netG.parameters(), lr=0.002, betas=(0.5, 0.999))
        real_label, fake_label = 1, 0
        out = []
        for _ in range(5):
            netD.zero_grad()
            real = torch.from_numpy(rng.standard_normal((3, nc, 16, 16))).to(device)
            batch_size = real.size(0)
            label = torch.full((batch_size,), real_label, dtype=real.dtype, device=device)
            output = netD(real)
            errD_real = criterion(output, label)
            errD_real.backward()
            D_x = output.mean().item()
            noise = torch.from_numpy(rng.standard_normal((batch_size, nz, 1, 1))).to(device)
            fake = netG(noise)
            label.fill_(fake_label)
            output = netD(fake.detach())
            errD_fake = criterion(output, label)
            errD_fake.backward()
            errD = errD_real + errD_fake
            optimizerD.step()
            netG.zero_grad()
            label.fill_(real_label)
            output = netD(fake)
            errG = criterion(output, label)
            errG.backward()
            optimizerG.step()
            out += [errD.item(), errG.item(), D_x]
        model.eval()
        fixed_noise = torch.randn(2, nz, 1, 1, device=device)
        assert tuple(netG(fixed_noise).detach().cpu().shape) == (2, nc, 16, 16)
        return out

    return build, train


def autoencoder_with_hooks(torch, nn, F, optim, utils):
    class AutoEncoder(nn.Module):
        def __init__(self, sizes):
            super().__init__()
            self.encoder = nn.Sequential()
            for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:])):
                self.encoder.add_module(f"fc{i}", nn.Linear(a, b))
                self.encoder.add_module(f"act{i}", nn.Tanh())
            back = sizes[::-1]
            self.decoder = nn.ModuleList([nn.Linear(a, b) for a, b in zip(back[:-1], back[1:])])

        @property
        def device(self):
            return next(self.parameters()).device

        @property
        def code_size(self):
            return self.encoder[-2].out_features

        def forward(self, x):
            x = self.encoder(x)
            for i, layer in enumerate(self.decoder):
                x = layer(x)
                if i < len(self.decoder) - 1:
                    x = torch.tanh(x)
            return x

    def train(model, rng):
        activations, gradients = {}, {}

        def get_activation(name):
            def hook(module, input, output):
                activations[name] = output.detach()

            return hook

        def save_gradient(module, grad_input, grad_output):
            gradients[id(module)] = grad_output[0].detach().clone()

        handles = [
            layer.register_forward_hook(get_activation(name))
            for name, layer in model.named_modules()
            if isinstance(layer, nn.Linear)
        ]
        handles.append(model.encoder[-1].register_full_backward_hook(save_gradient))
        x = torch.tensor(rng.standard_normal((7, 9))).to(model.device)
        noise = 0.1 * x.new_tensor(rng.standard_normal((7, 9)).tolist())
        optimizer = optim.Adagrad(model.parameters(), lr=0.05)
        criterion = nn.MSELoss(reduction="mean")
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            recon = model(x + noise)
            sparsity = sum(p.abs().sum() for p in model.encoder.parameters() if p.dim() > 1)
            loss = criterion(recon, x) + 1e-3 * sparsity
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        for handle in handles:
            handle.remove()
        stats = [activations[name].pow(2).mean().item() for name in sorted(activations)]
        z = torch.zeros(1, model.code_size, requires_grad=True)
        z.register_hook(lambda grad: grad * 2)
        recon_z = z
        for layer in model.decoder:
            recon_z = layer(recon_z)
        recon_z.norm().backward()
        return [*losses, *stats, *[g.norm(2).item() for g in gradients.values()], z.grad.norm().item()]

    return lambda: AutoEncoder([9, 6, 3]), train
