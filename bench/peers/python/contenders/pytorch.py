"""SA-UNetv2 and single convolutions in PyTorch on the CPU."""

import math

import inputs
import torch
import torch.nn.functional as F

VERSION = torch.__version__
# Once a process: PyTorch refuses it later.
torch.set_num_interop_threads(1)


def network(p, x):
    """From image [1,3,H,W] to logits [1,1,H,W]; filters are [O,C,KH,KW]."""

    def conv(x, name):
        w = p[f"{name}.filter"]
        return F.conv2d(x, w, p.get(f"{name}.bias"), padding=w.shape[-1] // 2)

    def unit(x, stage, index):
        norm = f"{stage}.norm{index}"
        y = F.group_norm(conv(x, f"{stage}.conv{index}"), inputs.GROUPS, p[f"{norm}.gamma"], p[f"{norm}.beta"], inputs.EPSILON)
        return F.silu(y)

    def gate(x, maps, stage):
        return x * torch.sigmoid(conv(torch.cat(maps, 1), f"{stage}.attention"))

    def mean(x):
        return x.mean(1, keepdim=True)

    skips = []
    for stage in inputs.STAGES:
        x = unit(unit(x, stage, 1), stage, 2)
        skips.append(x)
        x = F.max_pool2d(x, 2)
    x = unit(x, "bottleneck", 1)
    x = unit(gate(x, [mean(x), x.amax(1, keepdim=True)], "bottleneck"), "bottleneck", 2)
    for stage in inputs.DECODERS:
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


def prepare(request):
    """The photograph and its vessels as [1,C,H,W], and the weights by name."""
    torch.set_num_threads(request["threads"])
    tensors = {name: torch.tensor(values) for name, values in inputs.read_tensors(request["inputs"]).items()}
    image, target = (tensors.pop(name).permute(0, 3, 1, 2).contiguous() for name in ("image", "target"))
    # Both kinds of filter end in the two channels that ONNX and PyTorch have first, in the opposite order.
    p = {name: w.permute(3, 2, 0, 1).contiguous() if w.ndim == 4 else w for name, w in tensors.items()}
    return image, target, p


def model(request):
    image, _, p = prepare(request)

    @torch.inference_mode()
    def run():
        return torch.sigmoid(network(p, image)).numpy()

    return run


def train(request):
    image, target, p = prepare(request)
    for w in p.values():
        w.requires_grad_()
    # Keras adds its epsilon before the second moment is corrected, PyTorch after: this is the same in the first step, which is
    # what the second loss is compared by.
    optimizer = torch.optim.Adam(p.values(), lr=1e-3, eps=1e-7 / math.sqrt(1 - 0.999))

    def step():
        optimizer.zero_grad()
        loss = loss_of(network(p, image), target)
        loss.backward()
        optimizer.step()
        return loss.item()

    def moments():
        kept = [optimizer.state[w]["exp_avg"].numpy() for w in p.values()]
        return [m.transpose(2, 3, 1, 0) if m.ndim == 4 else m for m in kept]

    return step, moments


def convolution(request):
    """One convolution, TensorFlow's SAME: zeros before and after each axis, what is odd of them after."""
    torch.set_num_threads(request["threads"])
    tensors = inputs.read_tensors(request["operands"])
    x, w = (torch.tensor(tensors[name]).permute(order).contiguous() for name, order in (("x", (0, 3, 1, 2)), ("w", (3, 2, 0, 1))))
    stride, (top, left, bottom, right) = request["convolution"]["stride"], request["pads"]

    @torch.inference_mode()
    def forward():
        padded = x if (top, left) == (bottom, right) else F.pad(x, (left, right, top, bottom))
        padding = (top, left) if padded is x else 0
        spec = request["convolution"]
        return F.conv2d(padded, w, None, stride, padding, spec["dilation"], spec["groups"]).numpy()

    @torch.inference_mode()
    def transposed():
        y = F.conv_transpose2d(x, w, None, stride)
        rows, columns = request["result"]
        # Where the filter is shorter than the stride, the last rows and columns are those that no tap reaches.
        y = F.pad(y, (0, max(0, left + columns - y.shape[-1]), 0, max(0, top + rows - y.shape[-2])))
        return y[..., top : top + rows, left : left + columns].contiguous().numpy()

    return forward if request["convolution"]["op"] == "conv2d" else transposed
