// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Variables, initialisers and constant expressions (PTX ISA 4.5, 5.4).

#include "Parser.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mx::ptx;
using llvm::StringRef;

/// Variables are filled when a module is loaded, and sizes must not overflow.
static constexpr uint64_t maxSize = uint64_t(1) << 30;

bool Parser::isSpace(StringRef name, Space &space) {
  if (name == "global")
    space = Space::Global;
  else if (name == "shared" || name.starts_with("shared::"))
    space = Space::Shared;
  else if (name == "local")
    space = Space::Local;
  else if (name == "const")
    space = Space::Const;
  else if (name == "param")
    space = Space::Param;
  else
    return false;
  return true;
}

/// .align n, .v4, .b32, .ptr .global .align n, in any order.
bool Parser::parseVariableType(Variable &variable) {
  bool isAligned = false;
  while (token.kind == Token::Dot) {
    StringRef name = token.text;
    advance();
    Space space;
    if (name == "align") {
      uint64_t value;
      Location location = token.location;
      if (expectInteger(value, "an alignment", 1 << 20))
        return true;
      if (!llvm::has_single_bit(value))
        return fail(location, "an alignment is a power of two");
      variable.alignment = value;
      isAligned = true;
    } else if (name == "ptr") {
      // What a pointer points to; `.align` here is the target's.
      while (token.kind == Token::Dot) {
        if (token.text == "align") {
          advance();
          uint64_t value;
          if (expectInteger(value, "an alignment", 1 << 20))
            return true;
        } else if (isSpace(token.text, space)) {
          advance();
        } else {
          return fail("expected a state space or .align");
        }
      }
    } else if (name == "v2" || name == "v4") {
      variable.vectorWidth = name == "v2" ? 2 : 4;
    } else if (std::optional<Type> type = parseType(name)) {
      variable.type = *type;
    } else {
      return fail("unknown type '." + name + "'");
    }
  }
  if (variable.type == Type::None || variable.type == Type::Pred)
    return fail("a variable needs a type other than .pred");
  variable.size = uint64_t(getByteWidth(variable.type)) * variable.vectorWidth;
  if (!isAligned)
    variable.alignment = variable.size;
  return false;
}

/// Dimensions behind the name.
bool Parser::parseVariableShape(Variable &variable) {
  while (consumeIf('[')) {
    uint64_t extent = 0;
    if (!token.is(']')) {
      if (parseConstant(extent))
        return true;
      if (extent == 0 || extent > maxSize)
        return fail("an extent is at least 1 and at most 2^30");
    }
    if (variable.size > maxSize / std::max<uint64_t>(extent, 1))
      return fail("'" + variable.name + "' is larger than 2^30 bytes");
    variable.size *= extent;
    if (expect(']', "after an extent"))
      return true;
  }
  return false;
}

bool Parser::parseVariables(Space space, bool isExtern,
                            std::vector<Variable> &list, Symbol::Kind kind) {
  Variable prototype;
  prototype.space = space;
  prototype.isExtern = isExtern;
  if (parseVariableType(prototype))
    return true;
  do {
    Variable variable = prototype;
    variable.location = token.location;
    if (expectIdentifier(variable.name, "a variable's name"))
      return true;
    Location place = variable.location;
    // name<n> declares name0 to name(n-1).
    if (consumeIf('<')) {
      uint64_t count;
      if (expectInteger(count, "a count", 1 << 16) ||
          expect('>', "after a count"))
        return true;
      return fail(place,
                  "parameterised names are supported for registers only");
    }
    if (parseVariableShape(variable))
      return true;
    if (consumeIf('=')) {
      if (space != Space::Global && space != Space::Const)
        return fail("only .global and .const variables have initialisers");
      if (parseInitializer(variable))
        return true;
    }
    if (define(variable.name, place, Symbol{kind, unsigned(list.size())}))
      return true;
    list.push_back(std::move(variable));
  } while (consumeIf(','));
  return expect(';', "after a variable");
}

bool Parser::parseInitializer(Variable &variable) {
  variable.isInitialized = true;
  uint64_t offset = 0;
  if (parseInitializerLevel(variable, offset))
    return true;
  // `name[] = {...}` has the size of its initialiser.
  if (variable.size == 0)
    variable.size = offset;
  return false;
}

/// Braces of any depth; rows that are shorter than their extent are refused as
/// soon as a further row begins, because their place would be a guess.
bool Parser::parseInitializerLevel(Variable &variable, uint64_t &offset) {
  llvm::SaveAndRestore nested(depth, depth + 1);
  if (checkDepth())
    return true;
  if (!consumeIf('{'))
    return parseInitializerValue(variable, offset);
  while (!token.is('}')) {
    if (parseInitializerLevel(variable, offset))
      return true;
    if (!consumeIf(','))
      break;
  }
  return expect('}', "after an initialiser");
}

bool Parser::parseInitializerValue(Variable &variable, uint64_t &offset) {
  unsigned width = getByteWidth(variable.type);
  if (variable.size != 0 && offset + width > variable.size)
    return fail("more initial values than '" + variable.name +
                "' has room for");
  if (offset + width > (1u << 30))
    return fail("initialiser of more than 2^30 bytes");
  variable.data.resize(offset + width);
  uint64_t bits = 0;
  if (token.kind == Token::Float32 || token.kind == Token::Float64) {
    bool isFloat = token.kind == Token::Float32;
    bits = token.bits;
    if (variable.type == Type::F32 && !isFloat)
      bits = llvm::bit_cast<uint32_t>(float(llvm::bit_cast<double>(bits)));
    else if (variable.type == Type::F64 && isFloat)
      bits = llvm::bit_cast<uint64_t>(
          double(llvm::bit_cast<float>(uint32_t(bits))));
    advance();
  } else if (token.kind == Token::Identifier) {
    // Address of a variable or function, or generic(variable).
    Relocation relocation;
    relocation.offset = offset;
    relocation.target.kind = Operand::Symbol;
    relocation.target.location = token.location;
    relocation.target.name = token.text;
    advance();
    if (relocation.target.name == "generic" && consumeIf('(')) {
      relocation.target.location = token.location;
      if (expectIdentifier(relocation.target.name, "a variable") ||
          expect(')', "after generic(variable"))
        return true;
    }
    if (width != 8)
      return fail(relocation.target.location,
                  "an address needs an element of 64 bits");
    if (token.is('+') || token.is('-')) {
      uint64_t distance;
      bool isMinus = consumeIf('-');
      if (!isMinus)
        advance();
      if (parseConstantUnary(distance))
        return true;
      relocation.target.offset = isMinus ? -distance : distance;
    }
    variable.relocations.push_back(std::move(relocation));
  } else if (parseConstant(bits)) {
    return true;
  }
  for (unsigned i = 0; i < width; ++i)
    variable.data[offset + i] = i < 8 ? bits >> (8 * i) : 0;
  offset += width;
  return false;
}

bool Parser::parseConstantUnary(uint64_t &value) {
  llvm::SaveAndRestore nested(depth, depth + 1);
  if (checkDepth())
    return true;
  if (consumeIf('(')) {
    return parseConstant(value) || expect(')', "in a constant expression");
  }
  for (char op : {'-', '~', '!', '+'})
    if (consumeIf(op)) {
      if (parseConstantUnary(value))
        return true;
      value = op == '-'   ? -value
              : op == '~' ? ~value
              : op == '!' ? !value
                          : value;
      return false;
    }
  return expectInteger(value, "a constant", UINT64_MAX);
}

namespace {
struct ConstantOperator {
  llvm::StringLiteral text;
  unsigned precedence;
};
} // namespace

static constexpr ConstantOperator constantOperators[] = {
    {"||", 1}, {"&&", 2}, {"|", 3}, {"^", 4},  {"&", 5},  {"==", 6},
    {"!=", 6}, {"<", 7},  {">", 7}, {"<=", 7}, {">=", 7}, {"<<", 8},
    {">>", 8}, {"+", 9},  {"-", 9}, {"*", 10}, {"/", 10},
};

/// On 64-bit signed integers (PTX ISA 4.5.5); `b` is not zero for a division.
static uint64_t evaluate(StringRef op, uint64_t a, uint64_t b) {
  int64_t x = a, y = b;
  if (op == "||" || op == "&&")
    return op == "||" ? a || b : a && b;
  if (op == "<<" || op == ">>")
    return b > 63 ? 0 : op == "<<" ? a << b : uint64_t(x >> b);
  if (op == "==" || op == "!=")
    return (a == b) == (op == "==");
  if (op.starts_with("<"))
    return op == "<" ? x < y : x <= y;
  if (op.starts_with(">"))
    return op == ">" ? x > y : x >= y;
  switch (op[0]) {
  case '|':
    return a | b;
  case '^':
    return a ^ b;
  case '&':
    return a & b;
  case '+':
    return a + b;
  case '-':
    return a - b;
  case '*':
    return a * b;
  default:
    return y == -1 ? -a : uint64_t(x / y);
  }
}

bool Parser::parseConstant(uint64_t &value, unsigned lowest) {
  if (parseConstantUnary(value))
    return true;
  while (token.kind == Token::Punctuation) {
    const ConstantOperator *found = nullptr;
    for (const ConstantOperator &op : constantOperators)
      if (op.text == token.text)
        found = &op;
    if (!found || found->precedence <= lowest)
      return false;
    Location location = token.location;
    advance();
    uint64_t right;
    if (parseConstant(right, found->precedence))
      return true;
    if (found->text == "/" && right == 0)
      return fail(location, "division by zero");
    value = evaluate(found->text, value, right);
  }
  return false;
}
