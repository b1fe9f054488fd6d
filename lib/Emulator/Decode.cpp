// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the parsed function to one that runs: layout of memory, modifiers,
// operands.

#include "Memory.h"
#include "Program.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

using namespace mx::ptx;
using llvm::StringRef;
using llvm::Twine;

static std::optional<SpecialRegister> getSpecialRegister(StringRef name) {
  using S = SpecialRegister;
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
      .Case("%dynamic_smem_size", S::DynamicSmemSize)
      .Case("%total_smem_size", S::TotalSmemSize)
      .Default(std::nullopt);
}

std::string Program::getRegisterName(uint32_t index) const {
  return index < function->registers.size() ? function->registers[index].name
                                            : "a constant";
}

namespace {
class Decoder {
public:
  Decoder(Program &program, llvm::ArrayRef<uint64_t> globalAddresses)
      : program(program), module(*program.module), function(*program.function) {
    program.numRegisters = function.registers.size();
    program.moduleAddresses.assign(globalAddresses.begin(),
                                   globalAddresses.end());
  }

  llvm::Error run();

private:
  bool fail(Location location, const Twine &message) {
    errorLocation = location;
    errorText = message.str();
    return true;
  }
  bool layOut();
  uint64_t place(const Variable &variable, uint64_t &shared, uint64_t &local,
                 uint64_t &constant);
  bool decodeInstruction(const Instruction &source, Decoded &decoded);
  void decodeModifiers(const Instruction &source, Decoded &decoded);
  bool decodeOperand(const Operand &operand, StringRef kind, StringRef width,
                     Decoded &decoded);
  bool decodeValue(const Operand &operand, StringRef kind, unsigned bits,
                   Type type, Decoded &decoded);
  bool decodeConstant(const Operand &operand, Type type, uint64_t &bits);
  bool isShared(const Operand &operand) const;
  uint32_t getConstant(uint64_t bits, bool isShared);

  Program &program;
  const Module &module;
  const Function &function;
  Location errorLocation;
  std::string errorText;
};
} // namespace

/// Shared and constant variables follow one another in the order of the text;
/// `name[]`, the dynamic shared memory, lies behind all others.
uint64_t Decoder::place(const Variable &variable, uint64_t &shared,
                        uint64_t &local, uint64_t &constant) {
  uint64_t *end = variable.space == Space::Shared  ? &shared
                  : variable.space == Space::Local ? &local
                  : variable.space == Space::Const ? &constant
                                                   : &program.paramSize;
  uint64_t address = llvm::alignTo(*end, variable.alignment);
  *end = address + variable.size;
  return address;
}

bool Decoder::layOut() {
  uint64_t shared = sharedBase, local = 0, constant = 0;
  program.localAddresses.resize(function.variables.size());
  std::vector<std::pair<const Variable *, uint64_t *>> dynamic;
  auto placeAll = [&](llvm::ArrayRef<Variable> variables,
                      std::vector<uint64_t> &addresses) {
    for (auto [variable, address] : llvm::zip_equal(variables, addresses)) {
      if (variable.space == Space::Global)
        continue;
      if (variable.space == Space::Shared && variable.size == 0)
        dynamic.push_back({&variable, &address});
      else
        address = place(variable, shared, local, constant);
    }
  };
  for (const Variable &variable : function.variables)
    if (variable.space == Space::Global)
      return fail(variable.location,
                  ".global variables in functions are not implemented");
  placeAll(module.variables, program.moduleAddresses);
  placeAll(function.variables, program.localAddresses);
  unsigned alignment = 16;
  for (auto [variable, address] : dynamic)
    alignment = std::max(alignment, variable->alignment);
  shared = llvm::alignTo(shared, alignment);
  for (auto [variable, address] : dynamic)
    *address = shared;
  for (size_t i = 0; i < function.params.size(); ++i)
    program.paramOffsets.push_back(program.localAddresses[i]);
  program.staticShared = shared - sharedBase;
  program.localSize = local;
  program.constantSize = constant;
  return false;
}

bool Decoder::isShared(const Operand &operand) const {
  if (operand.kind != Operand::Variable)
    return false;
  const std::vector<Variable> &variables =
      operand.isLocal ? function.variables : module.variables;
  return variables[operand.index].space == Space::Shared;
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
    bits = (operand.isLocal ? program.localAddresses
                            : program.moduleAddresses)[operand.index] +
           operand.offset;
    return false;
  default:
    return fail(operand.location, "expected a register or a constant");
  }
}

bool Decoder::decodeValue(const Operand &operand, StringRef kind, unsigned bits,
                          Type type, Decoded &decoded) {
  bool isPredicate = kind == "p" || kind == "P";
  bool isDestination = kind == "d" || kind == "p" || kind == "V";
  Value value;
  if (operand.kind == Operand::Sink) {
    if (!isDestination)
      return fail(operand.location, "'_' has no value to read");
    value.isPredicate = isPredicate;
    decoded.values.push_back(value);
    return false;
  }
  value.isSink = false;
  value.negated = operand.negated;
  if (operand.negated && kind != "P")
    return fail(operand.location, "only a predicate source can be negated");
  if (operand.kind == Operand::Register) {
    const Register &reg = function.registers[operand.index];
    if (reg.vectorWidth != 1)
      return fail(operand.location, "vector registers are not implemented");
    value.isPredicate = reg.type == Type::Pred;
    if (value.isPredicate != isPredicate)
      return fail(operand.location,
                  "'" + operand.name +
                      (isPredicate ? "' is not a predicate"
                                   : "' is a predicate, not a value"));
    if (reg.type == Type::B128)
      return fail(operand.location,
                  "registers of 128 bits are not implemented");
    if (!isPredicate && bits && getBitWidth(reg.type) != bits)
      return fail(operand.location,
                  "'" + operand.name + "' has " + Twine(getBitWidth(reg.type)) +
                      " bits, but " + Twine(bits) + " are needed");
    value.index = operand.index;
    value.bits = getBitWidth(reg.type);
  } else if (isDestination) {
    return fail(operand.location, "expected a register");
  } else if (operand.kind == Operand::Special) {
    std::optional<SpecialRegister> special = getSpecialRegister(operand.name);
    if (!special)
      return fail(operand.location,
                  "special register '" + operand.name + "' is not implemented");
    auto it = llvm::find_if(
        program.specials, [&](auto &entry) { return entry.first == *special; });
    if (it == program.specials.end())
      it = program.specials.insert(it, {*special, program.numRegisters++});
    value.index = it->second;
  } else {
    uint64_t constant;
    if (decodeConstant(operand, type, constant))
      return true;
    if (isPredicate) {
      value.isPredicate = true;
      constant = constant ? UINT32_MAX : 0;
    }
    value.index = getConstant(constant, isShared(operand));
  }
  decoded.values.push_back(value);
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
  if (kind == "A") {
    if (operand.kind != Operand::Address)
      return fail(operand.location, "expected an address in brackets");
    if (operand.elements.size() != 1)
      return fail(operand.location, "expected one address");
    if (decoded.addressOffsets.empty())
      decoded.offset = operand.offset;
    decoded.addressOffsets.push_back(operand.offset);
    return decodeValue(operand.elements[0], "s", 0, Type::B64, decoded);
  }
  if (kind == "x")
    kind = operand.kind == Operand::Register &&
                   function.registers[operand.index].type == Type::Pred
               ? "P"
               : "s";
  if (kind == "T") {
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
  if (kind == "l" || kind == "t") {
    if (operand.kind != (kind == "l" ? Operand::Label : Operand::BranchTable))
      return fail(operand.location,
                  kind == "l" ? "expected a label" : "expected a branch table");
    if (kind == "l")
      decoded.target = operand.index;
    else
      decoded.table = &function.branchTables[operand.index];
    return false;
  }
  if (kind == "i" && operand.kind != Operand::Integer)
    return fail(operand.location, "expected an integer constant");
  if (kind == "v" || kind == "V") {
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

void Decoder::decodeModifiers(const Instruction &source, Decoded &decoded) {
  for (StringRef word : source.modifiers) {
    if (word == "global")
      decoded.space = Space::Global;
    else if (word == "shared" || word == "shared::cta")
      decoded.space = Space::Shared;
    else if (word == "shared::cluster")
      decoded.space = Space::SharedCluster;
    else if (word == "local")
      decoded.space = Space::Local;
    else if (word == "const")
      decoded.space = Space::Const;
    else if (word == "param" || word.starts_with("param::"))
      decoded.space = Space::Param;
    else if (word == "v2" || word == "v4" || word == "v8")
      decoded.vectorWidth = word[1] - '0';
    else if (word == "x1" || word == "x2" || word == "x4")
      decoded.count = word[1] - '0';
    else if (word == "ftz")
      decoded.ftz = true;
    else if (word == "sat" || word == "satfinite")
      decoded.sat = true;
    else if (word == "relu")
      decoded.relu = true;
    else if (word == "trans")
      decoded.trans = true;
    else if (word == "and" || word == "or" || word == "xor")
      decoded.combine = word == "and"  ? Combine::And
                        : word == "or" ? Combine::Or
                                       : Combine::Xor;
    else if (word.size() >= 2 && word[0] == 'r' &&
             (word == "rn" || word == "rz" || word == "rm" || word == "rp" ||
              word == "rni" || word == "rzi" || word == "rmi" || word == "rpi"))
      decoded.rounding = word;
    static constexpr StringRef comparisons[] = {
        "eq", "ne",  "lt",  "le",  "gt",  "ge",  "lo",  "ls",  "hi",
        "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};
    for (auto [i, name] : llvm::enumerate(comparisons))
      if (word == name)
        decoded.comparison = Comparison(i);
  }
}

bool Decoder::decodeInstruction(const Instruction &source, Decoded &decoded) {
  std::string error;
  const Row *row = lookupRow(source, decoded.types, error);
  if (!row)
    return fail(source.location, error);
  decoded.source = &source;
  decoded.handler = row->handler;
  decoded.isControl = source.opcode == "bra" || source.opcode == "brx" ||
                      source.opcode == "ret" || source.opcode == "exit";
  decodeModifiers(source, decoded);
  if (source.guard >= 0) {
    decoded.guard.isSink = false;
    decoded.guard.index = source.guard;
    decoded.guard.negated = source.guardNegated;
  }
  size_t operand = 0;
  bool isOptional = false;
  decoded.begin.push_back(0);
  for (StringRef rest = row->operands; !rest.empty();) {
    auto [word, tail] = rest.split(' ');
    rest = tail;
    isOptional |= word.consume_back("?");
    StringRef kind = word.take_front(word.contains('|') ? 3 : 1);
    if (operand == source.operands.size()) {
      if (isOptional)
        break;
      return fail(source.location, "'" + source.getSpelling() +
                                       "' needs more than " + Twine(operand) +
                                       " operands");
    }
    if (decodeOperand(source.operands[operand++], kind,
                      word.substr(kind.size()), decoded))
      return true;
    decoded.begin.push_back(decoded.values.size());
  }
  if (operand != source.operands.size())
    return fail(source.operands[operand].location,
                "'" + source.getSpelling() + "' has " + Twine(operand) +
                    " operands");
  return false;
}

llvm::Error Decoder::run() {
  if (layOut())
    return makeError(module.fileName, errorLocation, errorText);
  program.code.resize(function.instructions.size());
  for (auto [source, decoded] :
       llvm::zip_equal(function.instructions, program.code))
    if (decodeInstruction(source, decoded))
      return makeError(module.fileName, errorLocation, errorText);
  computeReconvergence(program);
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Program>>
mx::ptx::decode(const Module &module, const Function &function,
                llvm::ArrayRef<uint64_t> globalAddresses) {
  auto program = std::make_unique<Program>();
  program->module = &module;
  program->function = &function;
  if (llvm::Error error = Decoder(*program, globalAddresses).run())
    return std::move(error);
  return std::move(program);
}
