// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bodies of functions: declarations, labels, instructions, operands (PTX ISA
// 4.2, 6).

#include "Parser.h"

#include "llvm/ADT/StringExtras.h"

using namespace mx::ptx;
using llvm::StringRef;

/// More registers than any module has; a range is a few characters of text.
static constexpr uint64_t maxRegisters = 1 << 20;

bool Parser::define(StringRef name, Location location, Symbol symbol) {
  if (!scopes[scope].symbols.try_emplace(name, symbol).second)
    return fail(location, "'" + name + "' is defined twice");
  return false;
}

const Parser::Symbol *Parser::lookup(StringRef name, unsigned start) const {
  for (int i = start; i >= 0; i = scopes[i].parent) {
    auto it = scopes[i].symbols.find(name);
    if (it != scopes[i].symbols.end())
      return &it->second;
  }
  return nullptr;
}

/// Registers of a range are found by prefix and number, the innermost first.
int Parser::lookupRegister(StringRef name) const {
  StringRef prefix = name.rtrim("0123456789");
  StringRef digits = name.substr(prefix.size());
  unsigned number = 0;
  bool isNumbered = !digits.empty() && (digits == "0" || digits[0] != '0') &&
                    !digits.getAsInteger(10, number);
  for (int i = scope; i >= 0; i = scopes[i].parent) {
    auto symbol = scopes[i].symbols.find(name);
    if (symbol != scopes[i].symbols.end())
      return symbol->second.kind == Symbol::Register ? int(symbol->second.index)
                                                     : -1;
    auto range = scopes[i].ranges.find(prefix);
    if (isNumbered && range != scopes[i].ranges.end() &&
        number < range->second.count)
      return range->second.first + number;
  }
  return -1;
}

unsigned Parser::addRegister(std::string name, Type type, unsigned width) {
  numRegisters += width;
  function->registers.push_back({std::move(name), type, width});
  return function->registers.size() - 1;
}

bool Parser::parseBody(Function &target) {
  function = &target;
  instructionScopes.clear();
  pendingTables.clear();
  scopes.resize(1);
  scopes.push_back({0, {}, {}});
  scope = 1;
  for (std::vector<Variable> *list : {&target.params, &target.results}) {
    for (Variable &param : *list) {
      if (param.registerIndex >= 0) {
        param.registerIndex =
            addRegister(param.name.str(), param.type, param.vectorWidth);
        if (define(param.name, param.location,
                   {Symbol::Register, unsigned(param.registerIndex)}))
          return true;
        target.variables.push_back(param);
        continue;
      }
      if (define(param.name, param.location,
                 {Symbol::LocalVariable, unsigned(target.variables.size())}))
        return true;
      target.variables.push_back(param);
    }
  }
  advance(); // {
  // Braces nest without recursion, so that no input exhausts the stack.
  for (unsigned depth = 1; depth != 0;) {
    if (token.kind == Token::End)
      return fail("the body of '" + target.name + "' has no end");
    if (consumeIf('{')) {
      ++depth;
      scopes.push_back({int(scope), {}, {}});
      scope = scopes.size() - 1;
    } else if (consumeIf('}')) {
      --depth;
      scope = scopes[scope].parent;
    } else if (parseStatement()) {
      return true;
    }
  }
  scope = 0;
  return resolveFunction();
}

bool Parser::parseStatement() {
  if (consumeIf(';'))
    return false;
  if (token.kind == Token::Dot) {
    Space space;
    if (isDot("reg"))
      return parseRegisters();
    if (isDot("loc"))
      return parseLoc();
    if (isDot("pragma"))
      return parsePragma();
    if (isDot("file"))
      return parseFile();
    if (isSpace(token.text, space)) {
      advance();
      return parseVariables(space, false, function->variables,
                            Symbol::LocalVariable);
    }
    return fail("unknown directive '." + token.text + "' in a function");
  }
  Instruction instruction;
  if (consumeIf('@')) {
    instruction.guardNegated = consumeIf('!');
    StringRef name;
    Location location = token.location;
    if (expectIdentifier(name, "a predicate"))
      return true;
    instruction.guard = lookupRegister(name);
    if (instruction.guard < 0 ||
        function->registers[instruction.guard].type != Type::Pred)
      return fail(location, "'" + name + "' is not a predicate register");
  }
  instruction.location = token.location;
  if (expectIdentifier(instruction.opcode, "an instruction, a label or '}'"))
    return true;
  if (instruction.guard >= 0 || !consumeIf(':'))
    return parseInstruction(std::move(instruction));
  if (isDot("branchtargets"))
    return parseBranchTargets(instruction.opcode, instruction.location);
  // Of indirect calls, which are refused where a kernel reaches one.
  if (isDot("callprototype") || isDot("calltargets")) {
    while (!token.is(';') && token.kind != Token::End)
      advance();
    if (expect(';', "after a prototype"))
      return true;
  }
  return define(instruction.opcode, instruction.location,
                {Symbol::Label, unsigned(function->instructions.size())});
}

/// .reg .b32 a, b<4>;
bool Parser::parseRegisters() {
  advance();
  unsigned width = 1;
  std::optional<Type> type;
  while (token.kind == Token::Dot) {
    if (token.text == "v2" || token.text == "v4")
      width = token.text == "v2" ? 2 : 4;
    else if (!(type = parseType(token.text)))
      return fail("unknown type '." + token.text + "'");
    advance();
  }
  if (!type)
    return fail("expected the registers' type");
  do {
    StringRef name;
    Location location = token.location;
    if (expectIdentifier(name, "a register's name"))
      return true;
    if (!consumeIf('<')) {
      if (define(name, location,
                 {Symbol::Register, unsigned(function->registers.size())}))
        return true;
      addRegister(name.str(), *type, width);
    } else {
      uint64_t count;
      if (expectInteger(count, "a number of registers", maxRegisters) ||
          expect('>', "after a number of registers"))
        return true;
      unsigned first = function->registers.size();
      if (!scopes[scope]
               .ranges.try_emplace(name, RegisterRange{first, unsigned(count)})
               .second)
        return fail(location, "'" + name + "' is defined twice");
      for (uint64_t i = 0; i < count; ++i)
        addRegister((name + llvm::Twine(i)).str(), *type, width);
    }
    if (numRegisters > maxRegisters)
      return fail(location, "more than 2^20 registers");
  } while (consumeIf(','));
  return expect(';', "after registers");
}

bool Parser::parseBranchTargets(StringRef label, Location location) {
  if (define(label, location, {Symbol::Table, unsigned(pendingTables.size())}))
    return true;
  PendingTable table{scope, {}};
  do {
    advance();
    StringRef name;
    Location place = token.location;
    if (expectIdentifier(name, "a label"))
      return true;
    table.targets.push_back({place, name});
  } while (token.is(','));
  pendingTables.push_back(std::move(table));
  return expect(';', "after .branchtargets");
}

/// What follows an opcode: .modifiers and operands. The `|` between two
/// destinations makes a pair.
bool Parser::parseInstruction(Instruction instruction) {
  while (token.kind == Token::Dot) {
    instruction.modifiers.push_back(token.text);
    advance();
  }
  while (!token.is(';')) {
    Operand operand;
    if (parseOperand(operand))
      return true;
    if (token.is('|')) {
      Operand pair;
      pair.kind = Operand::Pair;
      pair.location = operand.location;
      pair.elements.push_back(std::move(operand));
      advance();
      pair.elements.emplace_back();
      if (parseOperand(pair.elements.back()))
        return true;
      operand = std::move(pair);
    }
    instruction.operands.push_back(std::move(operand));
    if (!consumeIf(','))
      break;
  }
  if (expect(';', "after '" + instruction.getSpelling() + "' and its operands"))
    return true;
  function->instructions.push_back(std::move(instruction));
  instructionScopes.push_back(scope);
  return false;
}

bool Parser::parseList(Operand &operand, char close) {
  while (!token.is(close)) {
    operand.elements.emplace_back();
    Operand &element = operand.elements.back();
    // Vectors of vectors do not exist, and text must not drive recursion.
    if (token.is('{') || token.is('[') || token.is('('))
      return fail("expected a register or a constant");
    if (parseOperand(element))
      return true;
    if (!consumeIf(','))
      break;
  }
  return expect(close, "after a list of operands");
}

bool Parser::parseOperand(Operand &operand) {
  operand.location = token.location;
  if (consumeIf('{')) {
    operand.kind = Operand::Vector;
    return parseList(operand, '}');
  }
  if (consumeIf('(')) {
    operand.kind = Operand::List;
    return parseList(operand, ')');
  }
  if (consumeIf('['))
    return parseAddress(operand);
  if (consumeIf('!')) {
    operand.negated = true;
    return parseName(operand);
  }
  bool isMinus = consumeIf('-');
  switch (token.kind) {
  case Token::Integer:
    operand.kind = Operand::Integer;
    operand.bits = isMinus ? -token.bits : token.bits;
    break;
  case Token::Float32:
    operand.kind = Operand::Float32;
    operand.bits = token.bits ^ (isMinus ? uint64_t(1) << 31 : 0);
    break;
  case Token::Float64:
    operand.kind = Operand::Float64;
    operand.bits = token.bits ^ (isMinus ? uint64_t(1) << 63 : 0);
    break;
  default:
    if (isMinus)
      return fail("expected a number after '-'");
    return parseName(operand);
  }
  advance();
  return false;
}

/// A register, a special register, or a name that is resolved later; name.x,
/// name+4.
bool Parser::parseName(Operand &operand) {
  if (token.kind != Token::Identifier)
    return fail("expected an operand");
  StringRef name = token.text;
  advance();
  if (name == "_") {
    operand.kind = Operand::Sink;
    return false;
  }
  int index = lookupRegister(name);
  operand.name = name;
  if (index >= 0) {
    operand.kind = Operand::Register;
    operand.index = index;
    unsigned width = function->registers[index].vectorWidth;
    if (token.kind == Token::Dot) {
      size_t element = StringRef("xyzw").find(token.text);
      if (token.text.size() != 1 || element >= width || width == 1)
        return fail("'" + name + "' has no element '." + token.text + "'");
      operand.element = element;
      advance();
    }
    return false;
  }
  if (name[0] == '%') {
    operand.kind = Operand::Special;
    if (token.kind == Token::Dot) {
      // The dimension is part of the name: both lie side by side in the text.
      if (name.end() != token.text.begin() - 1)
        return fail("unexpected '." + token.text + "'");
      operand.name =
          StringRef(name.data(), name.size() + 1 + token.text.size());
      advance();
    }
    return false;
  }
  operand.kind = Operand::Symbol;
  if (token.is('+')) {
    advance();
    uint64_t offset;
    if (parseConstantUnary(offset))
      return true;
    operand.offset = offset;
  }
  return false;
}

/// base{+offset}{, more}] ; the bracket has been read.
bool Parser::parseAddress(Operand &operand) {
  operand.kind = Operand::Address;
  operand.elements.emplace_back();
  Operand &base = operand.elements.back();
  base.location = token.location;
  bool isConstant = token.kind == Token::Integer || token.is('-');
  if (isConstant) {
    base.kind = Operand::Integer;
    if (parseConstant(base.bits))
      return true;
  } else if (parseName(base)) {
    return true;
  }
  operand.offset = base.offset;
  base.offset = 0;
  if (token.is('+') || token.is('-')) {
    bool isMinus = token.is('-');
    advance();
    uint64_t offset;
    if (parseConstantUnary(offset))
      return true;
    operand.offset += isMinus ? -offset : offset;
  }
  // Tensor coordinates, or a matrix in tensor memory.
  while (consumeIf(',')) {
    operand.elements.emplace_back();
    if (token.is('[') || token.is('('))
      return fail("expected coordinates");
    if (parseOperand(operand.elements.back()))
      return true;
  }
  return expect(']', "after an address");
}

bool Parser::resolve(Operand &operand, unsigned start) {
  for (Operand &element : operand.elements)
    if (resolve(element, start))
      return true;
  if (operand.kind != Operand::Symbol)
    return false;
  const Symbol *symbol = lookup(operand.name, start);
  if (!symbol)
    return fail(operand.location, "'" + operand.name + "' is not defined");
  operand.index = symbol->index;
  switch (symbol->kind) {
  case Symbol::Register:
    return fail(operand.location,
                "'" + operand.name + "' is declared after its use");
  case Symbol::Label:
    operand.kind = Operand::Label;
    return false;
  case Symbol::Table:
    operand.kind = Operand::BranchTable;
    return false;
  case Symbol::LocalVariable:
    operand.isLocal = true;
    operand.kind = Operand::Variable;
    return false;
  case Symbol::Variable:
    operand.kind = Operand::Variable;
    return false;
  case Symbol::Function:
    operand.kind = Operand::Function;
    return false;
  }
  return false;
}

/// Labels may be used before they stand in the text.
bool Parser::resolveFunction() {
  for (auto [instruction, start] :
       llvm::zip_equal(function->instructions, instructionScopes))
    for (Operand &operand : instruction.operands)
      if (resolve(operand, start))
        return true;
  for (const PendingTable &table : pendingTables) {
    std::vector<unsigned> targets;
    for (auto [location, name] : table.targets) {
      const Symbol *symbol = lookup(name, table.scope);
      if (!symbol || symbol->kind != Symbol::Label)
        return fail(location, "'" + name + "' is not a label");
      targets.push_back(symbol->index);
    }
    function->branchTables.push_back(std::move(targets));
  }
  return false;
}
