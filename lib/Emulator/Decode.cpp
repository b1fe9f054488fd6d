// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions: their rows in the table, modifiers, operands, calls.

#include "Decoder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mx::ptx;
using llvm::StringRef;
using llvm::Twine;

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
    else if (word == "sat")
      decoded.sat = true;
    else if (word == "satfinite")
      decoded.satfinite = true;
    else if (word == "relu")
      decoded.relu = true;
    else if (word == "trans")
      decoded.trans = true;
    else if (word == "and" || word == "or" || word == "xor")
      decoded.combine = word == "and"  ? Combine::And
                        : word == "or" ? Combine::Or
                                       : Combine::Xor;
    if (std::optional<Rounding> rounding =
            llvm::StringSwitch<std::optional<Rounding>>(word)
                .Cases({"rn", "rni"}, Rounding::Nearest)
                .Cases({"rz", "rzi"}, Rounding::Zero)
                .Cases({"rm", "rmi"}, Rounding::Down)
                .Cases({"rp", "rpi"}, Rounding::Up)
                .Case("rna", Rounding::NearestAway)
                .Case("rs", Rounding::Stochastic)
                .Default(std::nullopt)) {
      decoded.rounding = *rounding;
      decoded.toIntegral = word.ends_with("i");
    }
    static constexpr StringRef comparisons[] = {
        "eq", "ne",  "lt",  "le",  "gt",  "ge",  "lo",  "ls",  "hi",
        "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};
    for (auto [i, name] : llvm::enumerate(comparisons))
      if (word == name)
        decoded.comparison = Comparison(i);
  }
}

/// `kinds` as in Row::operands.
bool Decoder::decodeOperands(const Instruction &source, StringRef kinds,
                             Decoded &decoded) {
  size_t operand = 0;
  bool isOptional = false;
  decoded.begin.push_back(0);
  while (!kinds.empty()) {
    auto [word, tail] = kinds.split(' ');
    kinds = tail;
    isOptional |= word.consume_back("?");
    if (word == "c") {
      if (!program.carry)
        program.carry = program.numRegisters++;
      Value value;
      value.isSink = false;
      value.isPredicate = true;
      value.index = program.carry;
      decoded.values.push_back(value);
      decoded.begin.push_back(decoded.values.size());
      continue;
    }
    StringRef kind = word.take_front(word.contains('|') ? 3 : 1);
    if (kind == "o" && (operand == source.operands.size() ||
                        source.operands[operand].kind != Operand::Vector)) {
      decoded.begin.push_back(decoded.values.size());
      continue;
    }
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

bool Decoder::decodeInstruction(const Instruction &source, Decoded &decoded) {
  decoded.source = &source;
  if (source.guard >= 0) {
    decoded.guard.isSink = false;
    decoded.guard.index = routine->registers[source.guard];
    decoded.guard.negated = source.guardNegated;
  }
  if (source.opcode == "call")
    return decodeCall(source, decoded);
  std::string error = findTensorProblem(module, source);
  if (!error.empty())
    return fail(source.location, error);
  const Row *row = lookupRow(source, decoded.types, error);
  if (!row)
    return fail(source.location, error);
  decoded.handler = row->handler;
  decoded.isControl = source.opcode == "bra" || source.opcode == "brx" ||
                      source.opcode == "ret" || source.opcode == "exit";
  decodeModifiers(source, decoded);
  decoded.order = getMemoryOrder(source);
  return decodeOperands(source, row->operands, decoded);
}

//===----------------------------------------------------------------------===//
// Calls (PTX ISA 7.1, 9.7.12.5)
//===----------------------------------------------------------------------===//

/// (a, b): a variable of the frame for a formal in .param space; a register or
/// a constant for either kind.
bool Decoder::decodePassed(const Operand &list,
                           llvm::ArrayRef<Variable> formals, bool isResult,
                           llvm::SmallVectorImpl<Passed> &passed) {
  if (list.elements.size() != formals.size())
    return fail(list.location, "the function has " + Twine(formals.size()) +
                                   (isResult ? " results" : " parameters"));
  for (auto [operand, formal] : llvm::zip_equal(list.elements, formals)) {
    Passed one;
    if (formal.registerIndex >= 0 &&
        (formal.size > 8 || formal.vectorWidth > 1))
      return fail(
          formal.location,
          "'" + formal.name +
              "': a parameter in a register is a scalar of at most 64 bits");
    if (isInFrame(operand)) {
      const Variable &variable = routine->function->variables[operand.index];
      if (variable.size != formal.size)
        return fail(operand.location,
                    "'" + operand.name + "' has " + Twine(variable.size) +
                        " bytes, the parameter has " + Twine(formal.size));
      one.offset = routine->addresses[operand.index];
    } else {
      Decoded scratch;
      if (decodeValue(operand, isResult ? "d" : "s", 0, formal.type, scratch))
        return true;
      if (scratch.values.size() != 1 || formal.size > 8)
        return fail(operand.location, "expected a .param variable");
      one.value = scratch.values[0];
    }
    passed.push_back(one);
  }
  return false;
}

/// call (results), function, (arguments); both lists may be absent.
bool Decoder::decodeCall(const Instruction &source, Decoded &decoded) {
  for (StringRef word : source.modifiers)
    if (word != "uni")
      return fail(source.location, "'" + source.getSpelling() +
                                       "' is not implemented: ." + word +
                                       " is not known in it");
  llvm::ArrayRef<Operand> operands = source.operands;
  Operand empty;
  empty.kind = Operand::List;
  empty.location = source.location;
  const Operand *results = &empty, *arguments = &empty;
  if (!operands.empty() && operands.front().kind == Operand::List) {
    results = &operands.front();
    operands = operands.drop_front();
  }
  if (operands.empty())
    return fail(source.location, "a call needs a function");
  const Operand &callee = operands.front();
  operands = operands.drop_front();
  if (!operands.empty() && operands.front().kind == Operand::List) {
    arguments = &operands.front();
    operands = operands.drop_front();
  }
  if (callee.kind != Operand::Function || !operands.empty())
    return fail(source.location, "expected call (results), function, "
                                 "(arguments)");
  const Function &function = module.functions[callee.index];
  CallSite site;
  if (function.isDeclaration)
    site.builtin = getBuiltin(function);
  else
    site.routine = numbers.lookup(&function);
  if (decodePassed(*results, function.results, true, site.outputs) ||
      decodePassed(*arguments, function.params, false, site.inputs))
    return true;
  decoded.begin.push_back(0);
  decoded.handler = site.builtin ? site.builtin : callRoutine;
  decoded.target = program.calls.size();
  program.calls.push_back(std::move(site));
  return false;
}
