// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands as numbers of registers. Constants, addresses and special registers
// are registers too.

#include "Decoder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/bit.h"

using namespace mx::ptx;
using llvm::StringRef;
using llvm::Twine;

/// PTX ISA 10.
static std::optional<SpecialRegister> getSpecialRegister(StringRef name) {
  using S = SpecialRegister;
  // Those of the performance monitor and of the system count nothing here.
  if (name.starts_with("%envreg") || name.starts_with("%pm"))
    return S::Zero;
  return llvm::StringSwitch<std::optional<S>>(name)
      .Case("%tid.x", S::TidX)
      .Case("%tid.y", S::TidY)
      .Case("%tid.z", S::TidZ)
      .Case("%ntid.x", S::NtidX)
      .Case("%ntid.y", S::NtidY)
      .Case("%ntid.z", S::NtidZ)
      .Case("%ctaid.x", S::CtaidX)
      .Case("%ctaid.y", S::CtaidY)
      .Case("%ctaid.z", S::CtaidZ)
      .Case("%nctaid.x", S::NctaidX)
      .Case("%nctaid.y", S::NctaidY)
      .Case("%nctaid.z", S::NctaidZ)
      .Case("%laneid", S::LaneId)
      .Case("%warpid", S::WarpId)
      .Case("%nwarpid", S::NWarpId)
      .Case("%lanemask_eq", S::LanemaskEq)
      .Case("%lanemask_lt", S::LanemaskLt)
      .Case("%lanemask_le", S::LanemaskLe)
      .Case("%lanemask_gt", S::LanemaskGt)
      .Case("%lanemask_ge", S::LanemaskGe)
      .Case("%clusterid.x", S::ClusterIdX)
      .Case("%clusterid.y", S::ClusterIdY)
      .Case("%clusterid.z", S::ClusterIdZ)
      .Case("%nclusterid.x", S::NclusterIdX)
      .Case("%nclusterid.y", S::NclusterIdY)
      .Case("%nclusterid.z", S::NclusterIdZ)
      .Case("%cluster_ctaid.x", S::ClusterCtaidX)
      .Case("%cluster_ctaid.y", S::ClusterCtaidY)
      .Case("%cluster_ctaid.z", S::ClusterCtaidZ)
      .Case("%cluster_nctaid.x", S::ClusterNctaidX)
      .Case("%cluster_nctaid.y", S::ClusterNctaidY)
      .Case("%cluster_nctaid.z", S::ClusterNctaidZ)
      .Case("%cluster_ctarank", S::ClusterCtaRank)
      .Case("%cluster_nctarank", S::ClusterNctaRank)
      .Case("%is_explicit_cluster", S::IsExplicitCluster)
      .Case("%dynamic_smem_size", S::DynamicSmemSize)
      .Cases({"%total_smem_size", "%aggr_smem_size"}, S::TotalSmemSize)
      // All blocks run on one multiprocessor, of the first grid.
      .Cases({"%smid", "%gridid", "%current_graph_exec"}, S::Zero)
      .Case("%nsmid", S::One)
      .Cases({"%clock", "%clock_lo"}, S::Clock)
      .Case("%clock_hi", S::ClockHi)
      .Case("%clock64", S::Clock64)
      .Cases({"%globaltimer", "%globaltimer_lo"}, S::GlobalTimer)
      .Case("%globaltimer_hi", S::GlobalTimerHi)
      .Default(std::nullopt);
}

bool Decoder::isShared(const Operand &operand) const {
  if (operand.kind != Operand::Variable)
    return false;
  const std::vector<Variable> &variables =
      operand.isLocal ? routine->function->variables : module.variables;
  return variables[operand.index].space == Space::Shared;
}

bool Decoder::isInFrame(const Operand &operand) const {
  if (operand.kind != Operand::Variable || !operand.isLocal)
    return false;
  const Function &function = *routine->function;
  Space space = function.variables[operand.index].space;
  bool isKernelParam =
      routine == program.routines.data() &&
      operand.index < function.params.size() + function.results.size();
  return space == Space::Local || (space == Space::Param && !isKernelParam);
}

uint32_t Decoder::getConstant(uint64_t bits, bool isShared) {
  auto &constants = isShared ? program.sharedAddresses : program.constants;
  auto [it, isNew] = constants.try_emplace(bits, program.numRegisters);
  if (isNew)
    ++program.numRegisters;
  return it->second;
}

bool Decoder::decodeConstant(const Operand &operand, Type type,
                             uint64_t &bits) {
  switch (operand.kind) {
  case Operand::Integer:
    bits = operand.bits;
    return false;
  case Operand::Float32:
    bits = operand.bits;
    if (type == Type::F64)
      bits = llvm::bit_cast<uint64_t>(
          double(llvm::bit_cast<float>(uint32_t(bits))));
    return false;
  case Operand::Float64:
    bits = operand.bits;
    if (getBitWidth(type) == 32)
      bits = llvm::bit_cast<uint32_t>(float(llvm::bit_cast<double>(bits)));
    else if (getBitWidth(type) != 64)
      return fail(operand.location, "a floating constant has 32 or 64 bits");
    return false;
  case Operand::Variable:
    bits = (operand.isLocal ? routine->addresses
                            : program.moduleAddresses)[operand.index] +
           operand.offset;
    return false;
  default:
    return fail(operand.location, "expected a register or a constant");
  }
}

/// A register of .v2 or .v4 is as many values, one of .b128 two.
bool Decoder::decodeRegister(const Operand &operand, Value value,
                             bool isPredicate, unsigned bits,
                             Decoded &decoded) {
  const Register &reg = routine->function->registers[operand.index];
  value.index = routine->registers[operand.index];
  value.isPredicate = reg.type == Type::Pred;
  if (value.isPredicate != isPredicate)
    return fail(operand.location,
                "'" + operand.name +
                    (isPredicate ? "' is not a predicate"
                                 : "' is a predicate, not a value"));
  unsigned width = getBitWidth(reg.type);
  if (!isPredicate && bits && width != bits)
    return fail(operand.location, "'" + operand.name + "' has " + Twine(width) +
                                      " bits, but " + Twine(bits) +
                                      " are needed");
  unsigned parts = width == 128 ? 2 : 1;
  value.bits = width / parts;
  unsigned first = operand.element < 0 ? 0 : operand.element;
  unsigned last = operand.element < 0 ? reg.vectorWidth : first + 1;
  for (unsigned i = first * parts; i < last * parts; ++i) {
    decoded.values.push_back(value);
    decoded.values.back().index += i;
  }
  return false;
}

bool Decoder::decodeSpecial(const Operand &operand, Value value,
                            Decoded &decoded) {
  std::optional<SpecialRegister> special = getSpecialRegister(operand.name);
  if (!special)
    return fail(operand.location,
                "special register '" + operand.name + "' is not implemented");
  if (value.isPredicate != (special == SpecialRegister::IsExplicitCluster))
    return fail(operand.location, "'" + operand.name + "' has another type");
  auto it = llvm::find_if(program.specials,
                          [&](auto &entry) { return entry.first == *special; });
  if (it == program.specials.end())
    it = program.specials.insert(it, {*special, program.numRegisters++});
  if (*special >= SpecialRegister::Clock && decoded.handler != executeClocked) {
    decoded.clocked = decoded.handler;
    decoded.handler = executeClocked;
  }
  value.index = it->second;
  decoded.values.push_back(value);
  return false;
}

bool Decoder::decodeValue(const Operand &operand, StringRef kind, unsigned bits,
                          Type type, Decoded &decoded) {
  bool isPredicate = kind == "p" || kind == "P";
  bool isDestination = kind == "d" || kind == "p" || kind == "V";
  Value value;
  value.isPredicate = isPredicate;
  if (operand.kind == Operand::Sink) {
    if (!isDestination)
      return fail(operand.location, "'_' has no value to read");
    decoded.values.push_back(value);
    return false;
  }
  value.isSink = false;
  value.negated = operand.negated;
  if (operand.negated && kind != "P")
    return fail(operand.location, "only a predicate source can be negated");
  if (operand.kind == Operand::Register)
    return decodeRegister(operand, value, isPredicate, bits, decoded);
  if (isDestination)
    return fail(operand.location, "expected a register");
  if (operand.kind == Operand::Special)
    return decodeSpecial(operand, value, decoded);
  if (isInFrame(operand) && routine != program.routines.data()) {
    if (operand.offset)
      return fail(operand.location, "an offset from a variable on the stack is "
                                    "possible in an address only");
    value.index = routine->addressRegisters[operand.index];
    decoded.values.push_back(value);
    return false;
  }
  uint64_t constant;
  if (decodeConstant(operand, type, constant))
    return true;
  if (isPredicate)
    constant = constant ? UINT32_MAX : 0;
  value.index = getConstant(constant, isShared(operand));
  decoded.values.push_back(value);
  return false;
}

bool Decoder::decodeAddress(const Operand &operand, Decoded &decoded) {
  if (operand.kind != Operand::Address)
    return fail(operand.location, "expected an address in brackets");
  if (operand.elements.size() != 1)
    return fail(operand.location, "expected one address");
  if (decoded.addressOffsets.empty())
    decoded.offset = operand.offset;
  decoded.addressOffsets.push_back(operand.offset);
  // Parameters of calls lie in the frame.
  if (decoded.space == Space::Param && isInFrame(operand.elements[0]))
    decoded.space = Space::Local;
  return decodeValue(operand.elements[0], "s", 0, Type::B64, decoded);
}

/// [tensor map, {coordinates}]
bool Decoder::decodeTensor(const Operand &operand, Decoded &decoded) {
  if (operand.kind != Operand::Address || operand.elements.size() != 2 ||
      operand.elements[1].kind != Operand::Vector)
    return fail(operand.location, "expected [tensor map, {coordinates}]");
  decoded.addressOffsets.push_back(operand.offset);
  if (decodeValue(operand.elements[0], "s", 0, Type::B64, decoded))
    return true;
  for (const Operand &element : operand.elements[1].elements)
    if (decodeValue(element, "s", 32, Type::B32, decoded))
      return true;
  return false;
}

/// `width` as in Row::operands.
bool Decoder::decodeOperand(const Operand &operand, StringRef kind,
                            StringRef width, Decoded &decoded) {
  Type type = decoded.types.empty() ? Type::B32 : decoded.types[0];
  unsigned bits = getBitWidth(type);
  if (width == "1") {
    type = decoded.types[1];
    bits = getBitWidth(type);
  } else if (width == "w") {
    bits *= 2;
  } else if (width == "*") {
    bits = 0;
  } else if (width.consume_front("=")) {
    width.getAsInteger(10, bits);
    if (getBitWidth(type) != bits)
      type = bits == 64 ? Type::B64 : bits == 16 ? Type::B16 : Type::B32;
  }
  if (kind == "m")
    kind = operand.kind == Operand::Address ? "A" : "s";
  if (kind == "A")
    return decodeAddress(operand, decoded);
  if (kind == "T")
    return decodeTensor(operand, decoded);
  if (kind == "x")
    kind =
        operand.kind == Operand::Register &&
                routine->function->registers[operand.index].type == Type::Pred
            ? "P"
            : "s";
  if (kind == "l" || kind == "t") {
    if (operand.kind != (kind == "l" ? Operand::Label : Operand::BranchTable))
      return fail(operand.location,
                  kind == "l" ? "expected a label" : "expected a branch table");
    decoded.target = routine->firstInstruction;
    if (kind == "l")
      decoded.target += operand.index;
    else
      decoded.table = &routine->function->branchTables[operand.index];
    return false;
  }
  if (kind == "i" && operand.kind != Operand::Integer)
    return fail(operand.location, "expected an integer constant");
  if (kind == "v" || kind == "V" || kind == "o") {
    if (operand.kind != Operand::Vector)
      return decodeValue(operand, kind, bits, type, decoded);
    for (const Operand &element : operand.elements)
      if (decodeValue(element, kind, bits, type, decoded))
        return true;
    return false;
  }
  // d|p and p|p; the second part is a sink where it is absent.
  if (kind.size() == 3) {
    bool isPair = operand.kind == Operand::Pair;
    if (decodeValue(isPair ? operand.elements[0] : operand, kind.take_front(),
                    bits, type, decoded))
      return true;
    if (isPair)
      return decodeValue(operand.elements[1], kind.take_back(), 0, type,
                         decoded);
    decoded.values.emplace_back();
    return false;
  }
  return decodeValue(operand, kind, bits, type, decoded);
}
