# The public C API through ctypes: what the benchmarks and the comparisons
# with other runtimes need of it (include/graft/model.h, runtime.h).
# SPDX-License-Identifier: Apache-2.0
import ctypes as c

import numpy as np

P, I = c.c_void_p, c.c_int


class Array(c.Structure):  # struct graft_array
    _fields_ = [("name", c.c_char_p), ("data", c.POINTER(c.c_float)),
                ("rank", I), ("dim", c.c_int64 * 8)]


class Options(c.Structure):  # struct graft_runtime_options
    _fields_ = [("threads", I), ("isa", c.c_char_p),
                ("memory_limit", c.c_uint64), ("cache_dir", c.c_char_p),
                ("cache_max", c.c_uint64), ("log", P), ("log_ctx", P),
                ("links_root", c.c_char_p), ("exact", c.c_bool)]


class TrainerOptions(c.Structure):  # struct graft_trainer_options
    _fields_ = [("parameters", P), ("n_parameters", I),
                ("unfreeze", c.c_char_p), ("freeze", c.c_char_p),
                ("scores", c.c_char_p), ("loss", c.c_char_p),
                ("label_smoothing", c.c_double), ("optimizer", c.c_char_p),
                ("learning_rate", c.c_double), ("momentum", c.c_double),
                ("nesterov", c.c_bool), ("beta1", c.c_double),
                ("beta2", c.c_double), ("epsilon", c.c_double),
                ("weight_decay", c.c_double), ("decay_vectors", c.c_bool),
                ("layer_decay", c.c_double), ("schedule", c.c_char_p),
                ("warmup_steps", c.c_int64), ("total_steps", c.c_int64),
                ("final_learning_rate", c.c_double),
                ("clip_norm", c.c_double), ("ema_decay", c.c_double),
                ("shard", I), ("inputs", P), ("n_inputs", I)]


class TrainBatch(c.Structure):  # struct graft_train_batch
    _fields_ = [("inputs", P), ("n_inputs", I), ("classes", P),
                ("targets", P), ("weights", P)]


def _array(name, x):
    a = Array(name.encode() if name else None,
              x.ctypes.data_as(c.POINTER(c.c_float)), x.ndim)
    for i, d in enumerate(x.shape):
        a.dim[i] = d
    return a


class Session:
    """A model compiled for inputs of one shape; run() gives a list of arrays.
    `outputs`: value names, None: the model's own."""

    def __init__(self, library, model, x, threads, outputs=None, isa=None):
        self.lib = c.CDLL(library)
        self.lib.graft_error_message.restype = c.c_char_p
        self.lib.graft_session_output.restype = Array
        options = Options(threads=threads, isa=isa.encode() if isa else None)
        self.rt, self.model, self.session = P(), P(), P()
        self._do(self.lib.graft_runtime_new(c.byref(self.rt),
                                            c.byref(options)))
        self._do(self.lib.graft_model_open(c.byref(self.model), self.rt,
                                           str(model).encode()))
        names = outputs or []
        self.names = (c.c_char_p * len(names))(*[n.encode() for n in names])
        a = _array(None, x)
        self._do(self.lib.graft_session_new(
            c.byref(self.session), self.model, c.byref(a), I(1),
            self.names if names else None, I(len(names))))

    def _do(self, status):
        if status:
            raise RuntimeError(self.lib.graft_error_message().decode())

    def run(self, x):
        x = np.ascontiguousarray(x, np.float32)
        a = _array(None, x)
        self._do(self.lib.graft_session_run(self.session, c.byref(a), I(1)))
        out = []
        for k in range(self.lib.graft_session_n_outputs(self.session)):
            o = self.lib.graft_session_output(self.session, I(k))
            shape = tuple(o.dim[i] for i in range(o.rank))
            out.append(np.ctypeslib.as_array(o.data, shape).copy())
        return out

    def close(self):
        self.lib.graft_session_free(self.session)
        self.lib.graft_model_free(self.model)
        self.lib.graft_runtime_free(self.rt)


class Trainer:
    """Steps of training, beginning at the model's own parameters: those that
    `patterns` match (none: all), other options by their names in C."""

    def __init__(self, library, model, threads=0, patterns=(), **given):
        self._open(library, model, threads)
        names = (c.c_char_p * len(patterns))(*[p.encode() for p in patterns])
        o = TrainerOptions(
            loss=b"softmax", optimizer=b"sgd", learning_rate=0.01,
            momentum=0.9, beta1=0.9, beta2=0.999, epsilon=1e-8,
            decay_vectors=True, layer_decay=1, schedule=b"constant")
        if patterns:
            o.parameters, o.n_parameters = c.cast(names, P), len(patterns)
        for name, value in given.items():
            setattr(o, name, value)
        self._do(self.lib.graft_trainer_new(c.byref(self.trainer),
                                            self.model, c.byref(o)))

    @classmethod
    def loaded(cls, library, model):
        """A model in memory, nothing compiled yet."""
        self = cls.__new__(cls)
        self._open(library, model, 0)
        return self

    def _open(self, library, model, threads):
        self.lib = c.CDLL(library)
        self.lib.graft_error_message.restype = c.c_char_p
        self.lib.graft_trainer_name.restype = c.c_char_p
        options = Options(threads=threads)
        self.rt, self.model, self.trainer = P(), P(), P()
        self._do(self.lib.graft_runtime_new(c.byref(self.rt),
                                            c.byref(options)))
        self._do(self.lib.graft_model_open(c.byref(self.model), self.rt,
                                           str(model).encode()))

    _do = Session._do

    def names(self):
        n = self.lib.graft_trainer_n_parameters(self.trainer)
        return [self.lib.graft_trainer_name(self.trainer, I(k)).decode()
                for k in range(n)]

    def step(self, x, classes):
        """The loss before the step."""
        a, loss = _array(None, x), c.c_double()
        b = TrainBatch(inputs=c.cast(c.pointer(a), P), n_inputs=1,
                       classes=classes.ctypes.data_as(P))
        self._do(self.lib.graft_trainer_step(self.trainer, c.byref(b),
                                             c.byref(loss)))
        return loss.value

    def close(self):
        self.lib.graft_trainer_free(self.trainer)
        self.lib.graft_model_free(self.model)
        self.lib.graft_runtime_free(self.rt)
