"""SA-UNetv2 in PyTorch on the CPU: `python bench/peers/pytorch.py --size 592 --threads 1`."""

import peer
import torch
import torch.nn.functional as F


def network(p, x):
    """From image [1,3,H,W] to logits [1,1,H,W]; filters are [O,C,KH,KW]."""

    def conv(x, name):
        w = p[f"{name}.filter"]
        return F.conv2d(x, w, p.get(f"{name}.bias"), padding=w.shape[-1] // 2)

    def unit(x, stage, index):
        norm = f"{stage}.norm{index}"
        y = F.group_norm(conv(x, f"{stage}.conv{index}"), peer.GROUPS, p[f"{norm}.gamma"], p[f"{norm}.beta"], peer.EPSILON)
        return F.silu(y)

    def gate(x, maps, stage):
        return x * torch.sigmoid(conv(torch.cat(maps, 1), f"{stage}.attention"))

    def mean(x):
        return x.mean(1, keepdim=True)

    skips = []
    for stage in peer.STAGES:
        x = unit(unit(x, stage, 1), stage, 2)
        skips.append(x)
        x = F.max_pool2d(x, 2)
    x = unit(x, "bottleneck", 1)
    x = unit(gate(x, [mean(x), x.amax(1, keepdim=True)], "bottleneck"), "bottleneck", 2)
    for stage in peer.DECODERS:
        skip = skips.pop()
        # TensorFlow's SAME: what reaches past the end is dropped.
        up = F.conv_transpose2d(x, p[f"{stage}.up.filter"], p[f"{stage}.up.bias"], stride=2)[..., :-1, :-1]
        gated = gate(skip, [mean(skip), mean(up)], stage)
        x = unit(unit(torch.cat([up, gated], 1), stage, 1), stage, 2)
    return conv(x, "head")


def loss_of(logits, target):
    p = torch.sigmoid(logits)
    mp, mt, overlap = p.mean(), target.mean(), (p * target).mean()
    mcc = (overlap - mp * mt) / torch.sqrt(mp * mt * (1 - mp) * (1 - mt))
    return 0.5 * F.binary_cross_entropy_with_logits(logits, target) + 0.5 * (1 - mcc)


def main():
    options = peer.arguments()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    tensors = {name: torch.tensor(values) for name, values in peer.read_inputs(options.size).items()}
    image = tensors.pop("image").permute(0, 3, 1, 2).contiguous()
    target = tensors.pop("target").permute(0, 3, 1, 2).contiguous()
    # Both kinds of filter end in the two channels that ONNX and PyTorch have first, in the opposite order.
    p = {name: w.permute(3, 2, 0, 1).contiguous() if w.ndim == 4 else w for name, w in tensors.items()}
    if not options.train:
        with torch.inference_mode():
            peer.report("pytorch", torch.__version__, options, lambda: torch.sigmoid(network(p, image)).numpy())
        return
    for w in p.values():
        w.requires_grad_()
    optimizer = torch.optim.Adam(p.values(), lr=1e-3, eps=1e-7)

    def step():
        optimizer.zero_grad()
        loss = loss_of(network(p, image), target)
        loss.backward()
        optimizer.step()
        return loss.item()

    def moments():
        kept = [optimizer.state[w]["exp_avg"].numpy() for w in p.values()]
        return [m.transpose(2, 3, 1, 0) if m.ndim == 4 else m for m in kept]

    peer.report("pytorch", torch.__version__, options, step, moments)


if __name__ == "__main__":
    main()
