"""SA-UNetv2 in TensorFlow on the CPU, compiled as a graph."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import inputs  # noqa: E402
import tensorflow as tf  # noqa: E402

VERSION = tf.__version__


def network(p, x):
    """From image [1,H,W,3] to logits [1,H,W,1]."""

    def conv(x, name):
        y = tf.nn.conv2d(x, p[f"{name}.filter"], 1, "SAME")
        return tf.nn.bias_add(y, p[f"{name}.bias"]) if f"{name}.bias" in p else y

    def unit(x, stage, index):
        y = conv(x, f"{stage}.conv{index}")
        shape = tf.shape(y)
        groups = tf.reshape(y, [shape[0], shape[1], shape[2], inputs.GROUPS, y.shape[-1] // inputs.GROUPS])
        mean, variance = tf.nn.moments(groups, [1, 2, 4], keepdims=True)
        normal = tf.reshape((groups - mean) * tf.math.rsqrt(variance + inputs.EPSILON), shape)
        norm = f"{stage}.norm{index}"
        return tf.nn.silu(normal * p[f"{norm}.gamma"] + p[f"{norm}.beta"])

    def gate(x, maps, stage):
        return x * tf.sigmoid(conv(tf.concat(maps, -1), f"{stage}.attention"))

    def mean(x):
        return tf.reduce_mean(x, -1, keepdims=True)

    skips = []
    for stage in inputs.STAGES:
        x = unit(unit(x, stage, 1), stage, 2)
        skips.append(x)
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
    x = unit(x, "bottleneck", 1)
    x = unit(gate(x, [mean(x), tf.reduce_max(x, -1, keepdims=True)], "bottleneck"), "bottleneck", 2)
    for stage in inputs.DECODERS:
        skip = skips.pop()
        up = tf.nn.conv2d_transpose(x, p[f"{stage}.up.filter"], tf.shape(skip), 2, "SAME")
        up = tf.nn.bias_add(up, p[f"{stage}.up.bias"])
        gated = gate(skip, [mean(skip), mean(up)], stage)
        x = unit(unit(tf.concat([up, gated], -1), stage, 1), stage, 2)
    return conv(x, "head")


def loss_of(logits, target):
    p = tf.sigmoid(logits)
    mp, mt, overlap = tf.reduce_mean(p), tf.reduce_mean(target), tf.reduce_mean(p * target)
    mcc = (overlap - mp * mt) / tf.sqrt(mp * mt * (1 - mp) * (1 - mt))
    entropy = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(target, logits))
    return 0.5 * entropy + 0.5 * (1 - mcc)


def prepare(request):
    tf.config.threading.set_intra_op_parallelism_threads(request["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tensors = inputs.read_tensors(request["inputs"])
    image, target = (tf.constant(tensors.pop(name)) for name in ("image", "target"))
    return image, target, tensors


def model(request):
    image, _, tensors = prepare(request)
    p = {name: tf.constant(values) for name, values in tensors.items()}
    infer = tf.function(lambda x: tf.sigmoid(network(p, x)))
    return lambda: infer(image).numpy()


def train(request):
    image, target, tensors = prepare(request)
    p = {name: tf.Variable(values) for name, values in tensors.items()}
    variables = list(p.values())
    optimizer = tf.keras.optimizers.legacy.Adam(1e-3, epsilon=1e-7)

    @tf.function
    def compiled():
        with tf.GradientTape() as tape:
            loss = loss_of(network(p, image), target)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return lambda: float(compiled()), lambda: [optimizer.get_slot(w, "m").numpy() for w in variables]
