"""SciPy's own BLAS and LAPACK inside compiled code, with no interpreter between.

A routine is called by its address, which SciPy publishes for Cython and compiled code asks for on first use
(`kernel.addresses`).
"""

from functools import partial
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import get_cython_function_address

from bayeslmm.kernel.addresses import address
from bayeslmm.kernel.compiled import generated
from bayeslmm.one_thread import heed_loaded

ABSENT = 0


def routine_address(name: str) -> int:
    """Address of a routine, "lapack.dpotrf", or `ABSENT` where there is none that takes 32-bit integers."""
    from importlib import import_module

    library, routine = name.split(".")
    try:
        module = import_module(f"scipy.linalg.cython_{library}")
        heed_loaded()
        capsule = str(module.__pyx_capi__[routine])
        if '"void (' not in capsule or "int *" not in capsule or "long" in capsule:
            return ABSENT
        return int(get_cython_function_address(module.__name__, routine))
    except (ImportError, AttributeError, KeyError, ValueError):
        return ABSENT


@generated
def address_of(typing_context: Any, name: Any) -> Any:
    """Address of a routine by its literal name, as `routine_address` says."""
    if not isinstance(name, types.StringLiteral):
        raise TypingError("the name of a routine is a literal")

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine = name.literal_value
        return address(context, builder, routine, partial(routine_address, routine))

    return types.int64(name), codegen


@generated
def call_routine(typing_context: Any, place: Any, arguments: Any) -> Any:
    """Call a routine at an address; as in Fortran every argument of the tuple goes by its own address.

    Arrays go as they lie in memory, uint8 as characters, other integers as 32-bit ones.
    """

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        places = []
        for kind, value in zip(arguments, cgutils.unpack_tuple(builder, values[1]), strict=True):
            if isinstance(kind, types.Array):
                lies = context.make_array(kind)(context, builder, value).data
            else:
                passed = types.int32 if kind == types.int64 else kind
                lies = cgutils.alloca_once_value(builder, context.cast(builder, value, kind, passed))
            places.append(builder.bitcast(lies, byte))
        signature_of_routine = ir.FunctionType(ir.VoidType(), [byte] * len(places))
        builder.call(builder.inttoptr(values[0], signature_of_routine.as_pointer()), places)
        return context.get_dummy_value()

    return types.void(place, arguments), codegen
