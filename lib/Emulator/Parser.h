// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recursive descent over a module. As in LLVM's assembly parsers, a function
// returns true after it has recorded an error; the first one ends the parse.

#ifndef MX_LIB_EMULATOR_PARSER_H
#define MX_LIB_EMULATOR_PARSER_H

#include "Lexer.h"

#include "llvm/ADT/StringMap.h"

namespace mx::ptx {

class Parser {
public:
  explicit Parser(Module &module)
      : module(module), lexer(*module.text), token(lexer.next()) {}

  bool parse();

  Location errorLocation;
  std::string errorText;

private:
  /// What a name means in a scope.
  struct Symbol {
    enum Kind : uint8_t {
      Register,
      Label,
      Table,
      LocalVariable,
      Variable,
      Function
    } kind;
    unsigned index;
  };
  /// `.reg .b32 r<n>`: r0 to r(n-1).
  struct RegisterRange {
    unsigned first, count;
  };
  struct Scope {
    int parent;
    llvm::StringMap<Symbol> symbols;
    llvm::StringMap<RegisterRange> ranges;
  };
  /// A branch table and where its names are to be looked up.
  struct PendingTable {
    unsigned scope;
    std::vector<std::pair<Location, llvm::StringRef>> targets;
  };

  // Parser.cpp: tokens, module-level directives.
  bool fail(Location location, const llvm::Twine &message);
  bool fail(const llvm::Twine &message) {
    return fail(token.location, message);
  }
  void advance() { token = lexer.next(); }
  bool consumeIf(char c);
  bool expect(char c, llvm::StringRef where);
  bool expectInteger(uint64_t &value, llvm::StringRef what, uint64_t most);
  bool expectIdentifier(llvm::StringRef &name, llvm::StringRef what);
  bool isDot(llvm::StringRef name) const {
    return token.kind == Token::Dot && token.text == name;
  }
  /// Text must not drive recursion without bounds.
  bool checkDepth();
  bool parseVersion();
  bool parseTarget();
  bool parseModuleItem();
  bool parseSection();
  bool parseFile();
  bool parseLoc();
  bool parsePragma();
  bool parseThreads(std::array<unsigned, 3> &threads);
  bool parseFunction(Location location, bool isEntry, bool isExtern);
  bool parseParams(std::vector<Variable> &params);
  bool parseFunctionDirectives(Function &function);

  // ParserVariables.cpp: variables, initialisers, constant expressions.
  static bool isSpace(llvm::StringRef name, Space &space);
  bool parseVariables(Space space, bool isExtern, std::vector<Variable> &list,
                      Symbol::Kind kind);
  bool parseVariableType(Variable &variable);
  bool parseVariableShape(Variable &variable);
  bool parseInitializer(Variable &variable);
  bool parseInitializerLevel(Variable &variable, uint64_t &offset);
  bool parseInitializerValue(Variable &variable, uint64_t &offset);
  bool parseConstant(uint64_t &value, unsigned lowest = 0);
  bool parseConstantUnary(uint64_t &value);

  // ParserFunction.cpp: bodies.
  bool parseBody(Function &function);
  bool parseStatement();
  bool parseRegisters();
  bool parseBranchTargets(llvm::StringRef label, Location location);
  bool parseInstruction(Instruction instruction);
  bool parseOperand(Operand &operand);
  bool parseAddress(Operand &operand);
  bool parseName(Operand &operand);
  bool parseList(Operand &operand, char close);
  bool resolveFunction();
  bool resolve(Operand &operand, unsigned scope);
  bool define(llvm::StringRef name, Location location, Symbol symbol);
  const Symbol *lookup(llvm::StringRef name, unsigned scope) const;
  int lookupRegister(llvm::StringRef name) const;
  unsigned addRegister(std::string name, Type type, unsigned width);

  Module &module;
  Lexer lexer;
  Token token;
  /// Scope 0 is the module; the last ones are those of the current function.
  std::vector<Scope> scopes = std::vector<Scope>(1, Scope{-1, {}, {}});
  unsigned scope = 0;
  /// Of the constant expression or initialiser that is being read.
  unsigned depth = 0;
  /// In all functions, elements of vectors counted.
  uint64_t numRegisters = 0;
  Function *function = nullptr;
  /// Scope of each instruction of the current function.
  std::vector<unsigned> instructionScopes;
  std::vector<PendingTable> pendingTables;
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_PARSER_H
