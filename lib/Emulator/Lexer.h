// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens of PTX (PTX ISA 4.2 to 4.5).

#ifndef MX_LIB_EMULATOR_LEXER_H
#define MX_LIB_EMULATOR_LEXER_H

#include "mx/Emulator/Module.h"

namespace mx::ptx {

struct Token {
  enum Kind : uint8_t {
    End,
    Identifier,
    /// `.name`, of directives and modifiers; `text` is without the dot.
    Dot,
    Integer,
    Float32,
    Float64,
    String,
    /// One character, in `text`; or << >> == != <= >= && ||.
    Punctuation,
    /// `text` is the message.
    Error
  };
  Kind kind = End;
  Location location;
  llvm::StringRef text;
  uint64_t bits = 0;

  bool is(char c) const {
    return kind == Punctuation && text.size() == 1 && text[0] == c;
  }
};

class Lexer {
public:
  explicit Lexer(llvm::StringRef text) : text(text) {}
  Token next();

private:
  /// True if a comment is not closed.
  bool skipSpace();
  Token lexNumber();
  Token take(Token::Kind kind, size_t length, size_t skip = 0);
  Token error(llvm::StringRef message);
  Location here() const { return {line, unsigned(position - lineStart) + 1}; }
  char peek(size_t ahead = 0) const {
    return position + ahead < text.size() ? text[position + ahead] : '\0';
  }

  llvm::StringRef text;
  size_t position = 0, lineStart = 0;
  unsigned line = 1;
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_LEXER_H
