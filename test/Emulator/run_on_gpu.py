#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs launch files on this machine's GPU, and compares what mx-ptx-run compares.

    run_on_gpu.py KERNEL.json...

Beside each KERNEL.json lie KERNEL.ptx and, for each of its checks, KERNEL.BUFFER.npy (lib/Emulator/README.md). Takes
libcuda.so.1 and nothing else. Without a CUDA device it says so and exits with status 0; else with 1 if a buffer is not
as expected or a kernel does not run.
"""
import argparse
import ctypes
import json
import math
import pathlib
import struct
import sys

SIZES = {"u8": 1, "i8": 1, "e4m3": 1, "e5m2": 1, "u16": 2, "i16": 2, "f16": 2, "bf16": 2, "u32": 4, "i32": 4,
         "f32": 4, "u64": 8, "i64": 8, "f64": 8}
# CUtensorMapDataType, CUtensorMapSwizzle and so on of cuda.h.
ELEMENTS = ["u8", "u16", "u32", "s32", "u64", "s64", "f16", "f32", "f64", "bf16", "f32.ftz", "tf32", "tf32.ftz",
            "u4x16_align8b", "u4x16_align16b", "u6x16_align16b"]
SWIZZLES = ["none", "32B", "64B", "128B", "128B_ATOM_32B", "128B_ATOM_32B_FLIP_8B", "128B_ATOM_64B"]
INTERLEAVES = ["none", "16B", "32B"]
FILLS = ["zero", "nan"]
L2_PROMOTION_NONE = 0
ATTRIBUTE_MAX_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
LAUNCH_ATTRIBUTE_CLUSTER = 4  # CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION


class CudaError(Exception):
    pass


class Driver:
    """The CUDA driver API: each call raises CudaError with the driver's words."""

    def __init__(self):
        try:
            self.library = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise CudaError(f"no CUDA device: {error}") from error
        try:
            self.call("cuInit", 0)
            count = ctypes.c_int()
            self.call("cuDeviceGetCount", ctypes.byref(count))
        except CudaError as error:
            raise CudaError(f"no CUDA device: {error}") from error
        if count.value == 0:
            raise CudaError("no CUDA device")
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(device), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxSetCurrent", context)

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status:
            text = ctypes.c_char_p()
            self.library.cuGetErrorString(status, ctypes.byref(text))
            raise CudaError(f"{name}: {(text.value or b'unknown error').decode()}")


# ---- Numbers -----------------------------------------------------------------------------------------------------

def round_to(value, mantissa, least, largest_bits):
    """Bits of a small float, nearest even; `least` is the exponent of the smallest normal number."""
    sign = int(math.copysign(1, value) < 0)
    magnitude = abs(value)
    exponent = max(math.frexp(magnitude)[1] - 1, least) if magnitude else least
    scaled = round(math.ldexp(magnitude, mantissa - exponent))  # Python rounds half to even
    bits = ((exponent - least) << mantissa) + scaled
    return sign, min(bits, largest_bits)


def encode(dtype, value):
    if dtype in ("f32", "f64", "f16"):
        return struct.pack({"f32": "<f", "f64": "<d", "f16": "<e"}[dtype], value)
    if dtype == "bf16":
        bits = struct.unpack("<I", struct.pack("<f", value))[0]
        return struct.pack("<H", (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    if dtype in ("e4m3", "e5m2"):
        sign, bits = round_to(value, 3, -6, 0x7E) if dtype == "e4m3" else round_to(value, 2, -14, 0x7B)
        return bytes([sign << 7 | bits])
    return (int(value) % (1 << 8 * SIZES[dtype])).to_bytes(SIZES[dtype], "little")


def decode(dtype, data):
    if dtype in ("f32", "f64", "f16"):
        return struct.unpack({"f32": "<f", "f64": "<d", "f16": "<e"}[dtype], data)[0]
    bits = int.from_bytes(data, "little", signed=dtype.startswith("i"))
    if dtype == "bf16":
        return struct.unpack("<f", struct.pack("<I", bits << 16))[0]
    if dtype in ("e4m3", "e5m2"):
        mantissa, bias, nan = (3, 7, bits & 0x7F == 0x7F) if dtype == "e4m3" else (2, 15, bits & 0x7F > 0x7C)
        if nan:
            return math.nan
        if dtype == "e5m2" and bits & 0x7F == 0x7C:
            return math.copysign(math.inf, -1 if bits >> 7 else 1)
        exponent, fraction = bits >> mantissa & (31 if mantissa == 2 else 15), bits & ((1 << mantissa) - 1)
        fraction += (exponent != 0) << mantissa
        return (-1 if bits >> 7 else 1) * math.ldexp(fraction, max(exponent, 1) - bias - mantissa)
    return bits


def initial_bytes(buffer):
    """As lib/Emulator makes them: a linear congruential sequence of 24-bit numbers k."""
    init, dtype, count = buffer["init"], buffer["dtype"], math.prod(buffer["shape"])
    kind, size = init["gen"], SIZES[dtype]
    if kind in ("zero", "undefined"):
        return bytes(count * size)
    if kind == "const":
        return encode(dtype, init["value"]) * count
    if kind == "list":
        return b"".join(encode(dtype, value) for value in init["values"])
    data, x = bytearray(), init.get("seed", 0)
    for _ in range(count):
        x = (1664525 * x + 1013904223) & 0xFFFFFFFF
        k = x >> 8
        if kind == "grid":
            data += encode(dtype, (init["lo"] + k % (init["hi"] - init["lo"] + 1)) * init.get("scale", 1))
        elif kind == "uniform":
            value = init["lo"] + (init["hi"] - init["lo"]) * (k / 2**24)
            data += encode(dtype, value if dtype == "f64" else struct.unpack("<f", struct.pack("<f", value))[0])
        elif kind == "codes":
            bits = ((k & init["mask"]) << init.get("shift", 0)) + init.get("add", 0)
            bits += (k >> 23) << 31 if init.get("sign") else 0
            data += (bits % (1 << 8 * size)).to_bytes(size, "little")
        else:
            raise CudaError(f"unknown generator '{kind}'")
    return bytes(data)


def read_npy(path):
    data = path.read_bytes()
    length = struct.unpack_from("<H" if data[6] == 1 else "<I", data, 8)[0]
    return data[(10 if data[6] == 1 else 12) + length:]


# ---- A launch ----------------------------------------------------------------------------------------------------

class Launch:
    def __init__(self, driver, path):
        self.driver, self.path = driver, path
        self.spec = json.loads(path.read_text())
        self.addresses = {}

    def copy_in(self):
        for buffer in self.spec["buffers"]:
            data, address = initial_bytes(buffer), ctypes.c_uint64()
            self.driver.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(max(len(data), 1)))
            self.driver.call("cuMemcpyHtoD_v2", address, data, ctypes.c_size_t(len(data)))
            self.addresses[buffer["name"]] = address

    def encode_tensor_map(self, argument):
        dims, box = argument["dims"], argument["box"]
        rank = len(dims)
        storage = ctypes.create_string_buffer(128 + 64)
        aligned = (ctypes.addressof(storage) + 63) & ~63  # cuda.h aligns it to 64 bytes
        self.driver.call(
            "cuTensorMapEncodeTiled", ctypes.c_void_p(aligned), ELEMENTS.index(argument["element"]),
            ctypes.c_uint32(rank), ctypes.c_void_p(self.addresses[argument["buffer"]].value),
            (ctypes.c_uint64 * rank)(*dims), (ctypes.c_uint64 * max(rank - 1, 1))(*argument["strides_bytes"]),
            (ctypes.c_uint32 * rank)(*box), (ctypes.c_uint32 * rank)(*argument.get("element_strides", [1] * rank)),
            INTERLEAVES.index(argument.get("interleave", "none")), SWIZZLES.index(argument.get("swizzle", "none")),
            L2_PROMOTION_NONE, FILLS.index(argument.get("oob_fill", "zero")))
        return ctypes.string_at(aligned, 128)

    def parameters(self):
        """The bytes of each parameter."""
        made = []
        for argument in self.spec["args"]:
            if argument["kind"] == "buffer":
                made.append(struct.pack("<Q", self.addresses[argument["name"]].value))
            elif argument["kind"] == "tensormap":
                made.append(self.encode_tensor_map(argument))
            else:
                made.append(encode(argument["dtype"], argument["value"]))
        if not self.spec.get("packed_args"):
            return made
        packed = bytearray()
        for data in made:
            packed += bytes(-len(packed) % min(len(data), 64)) + data
        return [bytes(packed)]

    def run(self):
        driver, spec = self.driver, self.spec
        self.copy_in()
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        driver.call("cuModuleLoadData", ctypes.byref(module), self.path.with_suffix(".ptx").read_bytes() + b"\0")
        driver.call("cuModuleGetFunction", ctypes.byref(function), module, spec["entry"].encode())
        shared, cluster = spec.get("dynamic_shared", 0), spec.get("cluster", [1, 1, 1])
        driver.call("cuFuncSetAttribute", function, ATTRIBUTE_MAX_DYNAMIC_SHARED, shared)
        values = [ctypes.create_string_buffer(data, len(data)) for data in self.parameters()]
        pointers = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))
        # CUlaunchAttribute: an id, padding to 8 bytes, 64 bytes of value; CUlaunchConfig: nine sizes, stream, attributes.
        attribute = ctypes.create_string_buffer(struct.pack("<II3I", LAUNCH_ATTRIBUTE_CLUSTER, 0, *cluster), 72)
        config = struct.pack("<7I4xQQI4x", *spec["grid"], *spec["block"], shared, 0, ctypes.addressof(attribute),
                             int(math.prod(cluster) > 1))
        driver.call("cuLaunchKernelEx", ctypes.create_string_buffer(config, len(config)), function, pointers, None)
        driver.call("cuCtxSynchronize")
        problems = [problem for check in spec.get("checks", []) for problem in [self.compare(check)] if problem]
        for address in self.addresses.values():
            driver.call("cuMemFree_v2", address)
        driver.call("cuModuleUnload", module)
        return problems

    def compare(self, check):
        name = check["buffer"]
        buffer = next(entry for entry in self.spec["buffers"] if entry["name"] == name)
        dtype, shape = buffer["dtype"], buffer["shape"]
        size, last = SIZES[dtype], shape[-1] if shape else 1
        got = ctypes.create_string_buffer(math.prod(shape) * size)
        self.driver.call("cuMemcpyDtoH_v2", got, self.addresses[name], ctypes.c_size_t(len(got)))
        want = read_npy(self.path.with_name(f"{self.path.stem}.{name}.npy"))
        for i in range(math.prod(shape)):
            a, b = got.raw[i * size:(i + 1) * size], want[i * size:(i + 1) * size]
            if a == b or i % last >= check.get("columns", last):
                continue
            x, y = decode(dtype, a), decode(dtype, b)
            bound = check.get("atol", 0) + check.get("rtol", 0) * abs(y)
            if check.get("exact") or not (x == y or abs(x - y) <= bound or (x != x and y != y)):
                return f"element {i} of '{name}' is {x}, expected {y}"
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("launch", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    try:
        driver = Driver()
    except CudaError as error:
        print(error)
        return 0
    failed = 0
    for path in options.launch:
        try:
            problems = Launch(driver, path).run()
        except CudaError as error:
            problems = [str(error)]
        print(f"{path.stem}: {'; '.join(problems) or 'as expected'}")
        failed += bool(problems)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
