// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Module-level syntax (PTX ISA 11: directives).

#include "Parser.h"

using namespace mx::ptx;
using llvm::StringRef;
using llvm::Twine;

std::string Instruction::getSpelling() const {
  std::string text = opcode.str();
  for (StringRef modifier : modifiers)
    text += "." + modifier.str();
  return text;
}

const Function *Module::lookupEntry(StringRef name) const {
  for (const Function &function : functions)
    if (function.isEntry && !function.isDeclaration && function.name == name)
      return &function;
  return nullptr;
}

llvm::Error mx::ptx::makeError(StringRef fileName, Location location,
                               const Twine &message) {
  return llvm::createStringError(fileName + ":" + Twine(location.line) + ":" +
                                 Twine(location.column) +
                                 ": error: " + message);
}

llvm::Expected<Module> mx::ptx::parseModule(StringRef text,
                                            StringRef fileName) {
  Module module;
  module.text = std::make_unique<std::string>(text);
  module.fileName = fileName.str();
  Parser parser(module);
  if (parser.parse())
    return makeError(fileName, parser.errorLocation, parser.errorText);
  return std::move(module);
}

bool Parser::fail(Location location, const Twine &message) {
  errorLocation = location;
  errorText = message.str();
  // What the lexer could not read is the cause of whatever was expected here.
  if (token.kind == Token::Error) {
    errorLocation = token.location;
    errorText = token.text.str();
  }
  return true;
}

bool Parser::consumeIf(char c) {
  if (!token.is(c))
    return false;
  advance();
  return true;
}

bool Parser::expect(char c, StringRef where) {
  if (consumeIf(c))
    return false;
  return fail("expected '" + Twine(c) + "' " + where);
}

bool Parser::expectInteger(uint64_t &value, StringRef what, uint64_t most) {
  if (token.kind != Token::Integer)
    return fail("expected " + what);
  if (token.bits > most)
    return fail(what + " is at most " + Twine(most));
  value = token.bits;
  advance();
  return false;
}

bool Parser::expectIdentifier(StringRef &name, StringRef what) {
  if (token.kind != Token::Identifier)
    return fail("expected " + what);
  name = token.text;
  advance();
  return false;
}

bool Parser::parse() {
  if (parseVersion() || parseTarget())
    return true;
  while (token.kind != Token::End)
    if (parseModuleItem())
      return true;
  // Functions may be called before they are written.
  for (Variable &variable : module.variables)
    for (Relocation &relocation : variable.relocations)
      if (resolve(relocation.target, 0))
        return true;
  return false;
}

bool Parser::checkDepth() {
  constexpr unsigned most = 256;
  return depth > most && fail("nested deeper than " + Twine(most) + " levels");
}

/// .version 8.7
bool Parser::parseVersion() {
  if (!isDot("version"))
    return fail("a module begins with .version");
  advance();
  // The lexer reads major.minor as a floating number.
  auto [major, minor] = token.text.split('.');
  if (token.kind != Token::Float64 ||
      major.getAsInteger(10, module.versionMajor) ||
      minor.getAsInteger(10, module.versionMinor))
    return fail("expected a version such as 8.7");
  advance();
  return false;
}

/// .target sm_90a, debug
bool Parser::parseTarget() {
  if (!isDot("target"))
    return fail(".target follows .version");
  do {
    advance();
    StringRef name;
    if (expectIdentifier(name, "a target such as sm_90a"))
      return true;
    if (name.starts_with("sm_") || name.starts_with("compute_"))
      module.target = name;
    else if (name != "debug" && name != "texmode_unified" &&
             name != "texmode_independent" && name != "map_f64_to_f32")
      return fail("unknown target '" + name + "'");
  } while (token.is(','));
  if (module.target.empty())
    return fail(".target names no architecture");
  return false;
}

bool Parser::parseModuleItem() {
  Location location = token.location;
  bool isExtern = false;
  while (isDot("visible") || isDot("extern") || isDot("weak") ||
         isDot("common")) {
    isExtern |= token.text == "extern";
    advance();
  }
  if (consumeIf(';'))
    return false;
  if (token.kind != Token::Dot)
    return fail("expected a directive");
  if (isDot("entry") || isDot("func")) {
    bool isEntry = token.text == "entry";
    advance();
    return parseFunction(location, isEntry, isExtern);
  }
  Space space;
  if (isSpace(token.text, space)) {
    if (space == Space::Local || space == Space::Param)
      return fail("'." + token.text + "' variables belong into a function");
    advance();
    return parseVariables(space, isExtern, module.variables, Symbol::Variable);
  }
  if (isDot("address_size")) {
    advance();
    uint64_t size;
    Location place = token.location;
    if (expectInteger(size, "an address size", 64))
      return true;
    return size != 64 && fail(place, "only .address_size 64 is supported");
  }
  if (isDot("file"))
    return parseFile();
  if (isDot("section"))
    return parseSection();
  if (isDot("pragma"))
    return parsePragma();
  if (isDot("loc"))
    return parseLoc();
  if (isDot("alias"))
    return fail(".alias is not supported");
  return fail("unknown directive '." + token.text + "'");
}

/// .file index "name"{, timestamp, size}
bool Parser::parseFile() {
  advance();
  uint64_t value;
  if (expectInteger(value, "a file index", UINT32_MAX))
    return true;
  if (token.kind != Token::String)
    return fail("expected a file name");
  advance();
  while (consumeIf(','))
    if (expectInteger(value, "a timestamp or size", UINT64_MAX))
      return true;
  return false;
}

/// .loc file line column{, function_name label{+n}, inlined_at file line col}
bool Parser::parseLoc() {
  advance();
  uint64_t value;
  for (unsigned i = 0; i < 3; ++i)
    if (expectInteger(value, "a file, line or column number", UINT32_MAX))
      return true;
  while (consumeIf(',')) {
    StringRef name;
    if (expectIdentifier(name, "function_name or inlined_at"))
      return true;
    if (name == "function_name") {
      if (expectIdentifier(name, "a label") ||
          (consumeIf('+') && expectInteger(value, "an offset", UINT64_MAX)))
        return true;
      continue;
    }
    for (unsigned i = 0; i < 3; ++i)
      if (expectInteger(value, "a file, line or column number", UINT32_MAX))
        return true;
  }
  return false;
}

/// .pragma "text", ...;
bool Parser::parsePragma() {
  do {
    advance();
    if (token.kind != Token::String)
      return fail("expected a string");
    advance();
  } while (token.is(','));
  return expect(';', "after .pragma");
}

/// .section name { labels and .b8, .b16, .b32, .b64 lines }: DWARF, which says
/// nothing about execution.
bool Parser::parseSection() {
  advance();
  if (token.kind != Token::Dot)
    return fail("expected a section name");
  advance();
  if (expect('{', "after the section's name"))
    return true;
  while (!consumeIf('}')) {
    if (token.kind == Token::Identifier) {
      advance();
      if (expect(':', "after a label"))
        return true;
      continue;
    }
    if (!isDot("b8") && !isDot("b16") && !isDot("b32") && !isDot("b64"))
      return fail("expected a label, .b8, .b16, .b32 or .b64");
    do {
      advance();
      consumeIf('-');
      if (token.kind != Token::Integer && token.kind != Token::Identifier &&
          token.kind != Token::Dot)
        return fail("expected an integer, a label or a section");
      advance();
      while (token.is('+') || token.is('-')) {
        advance();
        if (token.kind != Token::Integer && token.kind != Token::Identifier)
          return fail("expected an integer or a label");
        advance();
      }
    } while (token.is(','));
  }
  return false;
}

bool Parser::parseThreads(std::array<unsigned, 3> &threads) {
  threads = {1, 1, 1};
  for (unsigned i = 0; i < 3; ++i) {
    uint64_t value;
    if (expectInteger(value, "a number of threads or blocks", UINT16_MAX))
      return true;
    threads[i] = value;
    if (i == 2 || !consumeIf(','))
      break;
  }
  return false;
}

bool Parser::parseFunctionDirectives(Function &function) {
  while (token.kind == Token::Dot) {
    StringRef name = token.text;
    uint64_t value;
    if (name == "pragma") {
      if (parsePragma())
        return true;
      continue;
    }
    advance();
    if (name == "reqntid" || name == "maxntid" || name == "reqnctapercluster") {
      if (parseThreads(name == "reqntid"   ? function.requiredThreads
                       : name == "maxntid" ? function.maxThreads
                                           : function.requiredCluster))
        return true;
    } else if (name == "minnctapersm" || name == "maxnctapersm" ||
               name == "maxnreg" || name == "maxclusterrank") {
      if (expectInteger(value, "a number", UINT32_MAX))
        return true;
      if (name == "maxnreg")
        function.maxRegisters = value;
      else if (name == "minnctapersm")
        function.minBlocks = value;
    } else if (name != "noreturn" && name != "explicitcluster" &&
               name != "blocksareclusters") {
      return fail("unknown directive '." + name + "' of a function");
    }
  }
  return false;
}

bool Parser::parseParams(std::vector<Variable> &params) {
  while (!token.is(')')) {
    if (!isDot("param") && !isDot("reg"))
      return fail("expected .param or .reg");
    Variable param;
    param.space = Space::Param;
    param.location = token.location;
    param.registerIndex = isDot("reg") ? 0 : -1;
    advance();
    if (parseVariableType(param))
      return true;
    param.location = token.location;
    if (expectIdentifier(param.name, "a parameter's name") ||
        parseVariableShape(param))
      return true;
    params.push_back(std::move(param));
    if (!consumeIf(','))
      break;
  }
  return expect(')', "after the parameters");
}

/// .entry name (params) directives { body }, .func (results) name (params) ...
bool Parser::parseFunction(Location location, bool isEntry, bool isExtern) {
  Function parsed;
  parsed.isEntry = isEntry;
  if (!isEntry && consumeIf('(') && parseParams(parsed.results))
    return true;
  parsed.location = token.location;
  if (expectIdentifier(parsed.name, "a function's name"))
    return true;
  if (consumeIf('(') && parseParams(parsed.params))
    return true;
  if (parseFunctionDirectives(parsed))
    return true;
  parsed.isDeclaration = isExtern || !token.is('{');
  if (parsed.isDeclaration && expect(';', "after a function's declaration"))
    return true;

  // A definition takes the place of an earlier declaration.
  unsigned index = module.functions.size();
  auto [it, isNew] = scopes[0].symbols.try_emplace(
      parsed.name, Symbol{Symbol::Function, index});
  if (!isNew) {
    if (it->second.kind != Symbol::Function ||
        (!parsed.isDeclaration &&
         !module.functions[it->second.index].isDeclaration))
      return fail(parsed.location, "'" + parsed.name + "' is defined twice");
    index = it->second.index;
    if (!parsed.isDeclaration)
      module.functions[index] = std::move(parsed);
    else
      return false;
  } else {
    module.functions.push_back(std::move(parsed));
  }
  Function &target = module.functions[index];
  return !target.isDeclaration && parseBody(target);
}
