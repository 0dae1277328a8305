"""SciPy's own BLAS and LAPACK inside compiled code, with no interpreter between.

A routine is called by its address, which SciPy publishes for Cython. It is looked up where it is used first,
once per process: compiled code asks Python for it, and keeps it in a variable of its own. Nothing that
travels to another process or is cached on disk holds an address, so none can be stale.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import get_cython_function_address

from bayeslmm.kernel.compiled import generated

UNKNOWN, ABSENT = -1, 0


def routine_address(name: str) -> int:
    """Address of a routine, "lapack.dpotrf", or `ABSENT` where there is none that takes 32-bit integers."""
    from importlib import import_module

    library, routine = name.split(".")
    try:
        module = import_module(f"scipy.linalg.cython_{library}")
        capsule = str(module.__pyx_capi__[routine])
        if '"void (' not in capsule or "int *" not in capsule or "long" in capsule:
            return ABSENT
        return int(get_cython_function_address(module.__name__, routine))
    except (ImportError, AttributeError, KeyError, ValueError):
        return ABSENT


@generated
def address_of(typing_context: Any, name: Any) -> Any:
    """Address of a routine by its literal name, as `routine_address` says; after the first time, one load."""
    if not isinstance(name, types.StringLiteral):
        raise TypingError("the name of a routine is a literal")
    routine = name.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kept = cgutils.add_global_variable(builder.module, ir.IntType(64), f"address.{routine}")
        kept.linkage, kept.align = "private", 8
        kept.initializer = ir.Constant(ir.IntType(64), UNKNOWN)
        known = builder.load_atomic(kept, "acquire", 8)
        with builder.if_then(builder.icmp_signed("==", known, kept.initializer), likely=False):
            builder.store_atomic(_asked(context, builder, routine), kept, "release", 8)
        return builder.load_atomic(kept, "acquire", 8)

    return types.int64(name), codegen


def _asked(context: Any, builder: Any, routine: str) -> Any:
    """What `routine_address` says at run time; `UNKNOWN`, to be asked again, where an interrupt ends it."""
    python = context.get_python_api(builder)
    answer = cgutils.alloca_once_value(builder, ir.Constant(ir.IntType(64), UNKNOWN))
    lock = python.gil_ensure()
    module = python.import_module(context.insert_const_string(builder.module, __name__))
    with builder.if_then(cgutils.is_not_null(builder, module)):
        name = python.string_from_string(context.insert_const_string(builder.module, routine))
        found = python.call_method(module, routine_address.__name__, (name,))
        with builder.if_then(cgutils.is_not_null(builder, found)):
            builder.store(python.long_as_longlong(found), answer)
        python.decref(found)
        python.decref(name)
        python.decref(module)
    python.err_clear()
    python.gil_release(lock)
    return builder.load(answer)


@generated
def call_routine(typing_context: Any, address: Any, arguments: Any) -> Any:
    """Call a routine at an address; as in Fortran every argument of the tuple goes by its own address.

    Arrays go as they lie in memory, uint8 as characters, other integers as 32-bit ones.
    """

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        places = []
        for kind, value in zip(arguments, cgutils.unpack_tuple(builder, values[1]), strict=True):
            if isinstance(kind, types.Array):
                place = context.make_array(kind)(context, builder, value).data
            else:
                passed = types.int32 if kind == types.int64 else kind
                place = cgutils.alloca_once_value(builder, context.cast(builder, value, kind, passed))
            places.append(builder.bitcast(place, byte))
        signature_of_routine = ir.FunctionType(ir.VoidType(), [byte] * len(places))
        builder.call(builder.inttoptr(values[0], signature_of_routine.as_pointer()), places)
        return context.get_dummy_value()

    return types.void(address, arguments), codegen
