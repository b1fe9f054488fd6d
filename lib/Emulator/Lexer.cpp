// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lexer.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

using namespace mx::ptx;
using llvm::StringRef;

static bool isFollow(char c) {
  return llvm::isAlnum(c) || c == '_' || c == '$';
}

Token Lexer::take(Token::Kind kind, size_t length, size_t skip) {
  Token token;
  token.kind = kind;
  token.location = here();
  token.text = text.substr(position + skip, length - skip);
  position += length;
  return token;
}

Token Lexer::error(StringRef message) {
  Token token;
  token.kind = Token::Error;
  token.location = here();
  token.text = message;
  position = text.size();
  return token;
}

bool Lexer::skipSpace() {
  while (position < text.size()) {
    if (peek() == '\n') {
      ++line;
      lineStart = ++position;
    } else if (llvm::isSpace(peek())) {
      ++position;
    } else if (peek() == '/' && peek(1) == '/') {
      position = std::min(text.find('\n', position), text.size());
    } else if (peek() == '/' && peek(1) == '*') {
      size_t end = text.find("*/", position + 2);
      if (end == StringRef::npos)
        return true;
      for (; position < end + 2; ++position)
        if (text[position] == '\n') {
          ++line;
          lineStart = position + 1;
        }
    } else {
      break;
    }
  }
  return false;
}

/// 0f and 0d with hexadecimal digits; decimal, octal, hexadecimal and binary
/// integers with an optional U; decimal floating numbers, which are f64.
Token Lexer::lexNumber() {
  size_t length = 1;
  while (isFollow(peek(length)))
    ++length;
  StringRef word = text.substr(position, length);
  char kind = length > 1 && word[0] == '0' ? llvm::toLower(word[1]) : '\0';
  if (kind == 'f' || kind == 'd') {
    Token token = take(kind == 'f' ? Token::Float32 : Token::Float64, length);
    StringRef digits = word.substr(2);
    if (digits.size() == (kind == 'f' ? 8 : 16) &&
        !digits.getAsInteger(16, token.bits))
      return token;
    position -= length;
    return error(kind == 'f' ? "0f is followed by 8 hexadecimal digits"
                             : "0d is followed by 16 hexadecimal digits");
  }
  bool isDecimal = kind != 'x' && kind != 'b';
  if (isDecimal && (peek(length) == '.' || word.contains_insensitive('e'))) {
    length = 0;
    while (llvm::isDigit(peek(length)) || peek(length) == '.')
      ++length;
    if (llvm::toLower(peek(length)) == 'e') {
      length += peek(length + 1) == '+' || peek(length + 1) == '-' ? 2 : 1;
      while (llvm::isDigit(peek(length)))
        ++length;
    }
    Token token = take(Token::Float64, length);
    double value;
    if (!token.text.getAsDouble(value)) {
      token.bits = llvm::bit_cast<uint64_t>(value);
      return token;
    }
    position -= length;
    return error("not a number");
  }
  Token token = take(Token::Integer, length);
  StringRef digits = word;
  if (digits.size() > 1 && llvm::toLower(digits.back()) == 'u')
    digits = digits.drop_back();
  unsigned radix = 10;
  if (kind == 'x' || kind == 'b') {
    radix = kind == 'x' ? 16 : 2;
    digits = digits.substr(2);
  } else if (digits.size() > 1 && digits[0] == '0') {
    radix = 8;
    digits = digits.substr(1);
  }
  if (!digits.getAsInteger(radix, token.bits))
    return token;
  position -= length;
  return error("not an integer of 64 bits");
}

Token Lexer::next() {
  if (skipSpace())
    return error("comment without its end");
  if (position >= text.size())
    return take(Token::End, 0);
  char c = peek();
  if (llvm::isAlpha(c) || c == '_' || c == '$' || c == '%') {
    size_t length = 1;
    while (isFollow(peek(length)))
      ++length;
    return take(c == '%' && length == 1 ? Token::Punctuation
                                        : Token::Identifier,
                length);
  }
  if (llvm::isDigit(c))
    return lexNumber();
  if (c == '.') {
    size_t length = 1;
    while (isFollow(peek(length)) ||
           (peek(length) == ':' && peek(length + 1) == ':') ||
           (peek(length) == ':' && peek(length - 1) == ':'))
      ++length;
    if (length == 1)
      return error("a name has to follow the dot");
    return take(Token::Dot, length, 1);
  }
  if (c == '"') {
    size_t length = 1;
    while (peek(length) != '"') {
      if (peek(length) == '\n' || position + length >= text.size())
        return error("string without its end");
      length += peek(length) == '\\' ? 2 : 1;
    }
    Token token = take(Token::String, length + 1, 1);
    token.text = token.text.drop_back();
    return token;
  }
  StringRef two = text.substr(position, 2);
  for (StringRef known : {"<<", ">>", "==", "!=", "<=", ">=", "&&", "||"})
    if (two == known)
      return take(Token::Punctuation, 2);
  if (StringRef("(){}[],;:=+-*/|<>&^~?!@").contains(c))
    return take(Token::Punctuation, 1);
  return error("unexpected character");
}
