// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PythonRegex.h"

#include "llvm/ADT/StringExtras.h"

#include <bitset>

using namespace llvm;
using namespace mx;

namespace {

/// Bounds the automaton, which is as large as the product of nested repetition
/// counts times the pattern.
constexpr size_t maxLength = 1000, maxStates = 100000;

using CharSet = std::bitset<256>;

/// Spells a pattern of Python as a POSIX extended regular expression. Both
/// match the same texts: laziness and the order of alternatives only change
/// which part of a text is found.
class Translator {
public:
  explicit Translator(StringRef rest) : rest(rest) {}

  /// Up to the end, or the parenthesis that closes what this one is inside of.
  Error run(std::string &posix);

  StringRef rest;
  /// There is a `|` outside of groups.
  bool hasAlternatives = false;

private:
  Error fail(const Twine &message) { return createStringError(message); }
  Error translateOne(std::string &posix);
  Error translateGroup(std::string &posix);
  Error translateEscape(std::string &posix);
  Error translateBracket(std::string &posix);
  Error translateRepetition(std::string &posix);
  /// The characters of `\d` and the like; false if `c` is not such a class.
  static bool getClass(char c, CharSet &set);
  static void print(const CharSet &set, std::string &posix);

  /// Whether there is something that a repetition can repeat.
  bool canRepeat = false;
  size_t states = 1;
};

} // namespace

bool Translator::getClass(char c, CharSet &set) {
  CharSet chars;
  for (unsigned i = 0; i < 256; ++i) {
    switch (toLower(c)) {
    case 'd':
      chars[i] = isDigit(i);
      break;
    case 'w':
      chars[i] = isAlnum(i) || i == '_';
      break;
    case 's':
      chars[i] = isSpace(i);
      break;
    default:
      return false;
    }
  }
  set |= toLower(c) == c ? chars : ~chars;
  return true;
}

/// As a bracket expression, in which `]` must be first and `-` last, and `^`
/// must not be first.
void Translator::print(const CharSet &set, std::string &posix) {
  // NUL does not occur in names and ends the pattern for llvm::Regex.
  CharSet chars = set;
  chars[0] = false;
  posix += '[';
  bool hasCaret = chars['^'], hasDash = chars['-'];
  if (chars[']'])
    posix += ']';
  chars[']'] = chars['^'] = chars['-'] = chars['['] = false;
  for (unsigned i = 1; i < 256; ++i) {
    if (!chars[i])
      continue;
    unsigned end = i;
    // Ranges are of signed characters.
    while (end + 1 < 128 && chars[end + 1])
      ++end;
    posix += char(i);
    if (end > i + 1)
      posix += '-';
    if (end > i)
      posix += char(end);
    i = end;
  }
  // `[` alone or before a letter opens no class of characters.
  if (set['['])
    posix += '[';
  if (hasCaret)
    posix += '^';
  if (hasDash)
    posix += '-';
  posix += ']';
}

Error Translator::translateBracket(std::string &posix) {
  CharSet set;
  bool isNegative = rest.consume_front("^");
  bool isFirst = true;
  auto takeChar = [&](unsigned char &c, bool &isClass) -> Error {
    isClass = false;
    c = rest.front();
    rest = rest.drop_front();
    if (c != '\\')
      return Error::success();
    if (rest.empty())
      return fail("'[' is not closed");
    c = rest.front();
    rest = rest.drop_front();
    if (getClass(c, set)) {
      isClass = true;
      return Error::success();
    }
    if (c == 'n' || c == 't')
      c = c == 'n' ? '\n' : '\t';
    else if (isAlnum(c))
      return fail(Twine("'\\") + Twine(char(c)) +
                  "' in brackets is not supported");
    return Error::success();
  };
  while (true) {
    if (rest.empty())
      return fail("'[' is not closed");
    if (!isFirst && rest.consume_front("]"))
      break;
    isFirst = false;
    unsigned char low, high;
    bool isClass, isHighClass;
    if (Error error = takeChar(low, isClass))
      return error;
    if (isClass)
      continue;
    high = low;
    if (rest.size() >= 2 && rest[0] == '-' && rest[1] != ']') {
      rest = rest.drop_front();
      if (Error error = takeChar(high, isHighClass))
        return error;
      if (isHighClass || high < low)
        return fail("bad range in brackets");
    }
    for (unsigned c = low; c <= high; ++c)
      set[c] = true;
  }
  set = isNegative ? ~set : set;
  if (set.none())
    return fail("brackets that match nothing");
  print(set, posix);
  return Error::success();
}

Error Translator::translateEscape(std::string &posix) {
  if (rest.empty())
    return fail("the pattern ends in '\\'");
  char c = rest.front();
  rest = rest.drop_front();
  CharSet set;
  canRepeat = true;
  if (getClass(c, set)) {
    print(set, posix);
  } else if (c == 'A' || c == 'Z') {
    posix += c == 'A' ? '^' : '$';
    canRepeat = false;
  } else if (c == 'n' || c == 't') {
    posix += c == 'n' ? '\n' : '\t';
  } else if (isAlnum(c)) {
    return fail(Twine("'\\") + Twine(c) + "' is not supported");
  } else {
    // Punctuation means itself; the backslash is for that with a meaning.
    if (StringRef("^.[]$()|*+?{}\\").contains(c))
      posix += '\\';
    posix += c;
  }
  return Error::success();
}

Error Translator::translateGroup(std::string &posix) {
  if (rest.consume_front("?P<")) {
    if (!rest.contains('>'))
      return fail("'(?P<' is not closed");
    rest = rest.split('>').second;
  } else if (rest.starts_with("?") && !rest.consume_front("?:")) {
    return fail("'(" + rest.take_front(2) +
                "' is not supported here; lookahead is, at the start");
  }
  posix += '(';
  size_t start = posix.size();
  Translator inner(rest);
  if (Error error = inner.run(posix))
    return error;
  rest = inner.rest;
  states *= inner.states;
  if (!rest.consume_front(")"))
    return fail("'(' is not closed");
  if (posix.size() == start)
    return fail("a group is empty");
  posix += ')';
  canRepeat = true;
  return Error::success();
}

Error Translator::translateRepetition(std::string &posix) {
  char c = rest.front();
  if (c != '{') {
    rest = rest.drop_front();
    posix += c;
  } else {
    StringRef counts =
        rest.drop_front().take_until([](char c) { return c == '}'; });
    auto [low, high] = counts.split(',');
    unsigned from = 0, to = 0;
    bool isCount = rest.size() > counts.size() + 1 &&
                   (low.empty() || !low.getAsInteger(10, from)) &&
                   (high.empty() || !high.getAsInteger(10, to)) &&
                   !(low.empty() && high.empty());
    // Python takes any other brace for itself.
    if (!isCount) {
      rest = rest.drop_front();
      posix += "\\{";
      canRepeat = true;
      return Error::success();
    }
    unsigned most = std::max(from, to);
    if (most > 255 || (!high.empty() && from > to))
      return fail("bad repetition '{" + counts + "}'; counts are at most 255");
    if ((states *= most + 1) > maxStates)
      return fail("repetitions are nested too deep");
    rest = rest.drop_front(counts.size() + 2);
    posix +=
        ("{" + Twine(from) + (counts.contains(',') ? "," : "") + high + "}")
            .str();
  }
  if (!canRepeat)
    return fail(Twine("nothing to repeat before '") + Twine(c) + "'");
  canRepeat = false;
  // Laziness does not change whether there is a match.
  if (rest.consume_front("?"))
    return Error::success();
  if (rest.starts_with("+"))
    return fail("possessive repetition is not supported");
  return Error::success();
}

Error Translator::translateOne(std::string &posix) {
  char c = rest.front();
  if (c == '*' || c == '+' || c == '?' || c == '{')
    return translateRepetition(posix);
  rest = rest.drop_front();
  if (c == '(')
    return translateGroup(posix);
  if (c == '\\')
    return translateEscape(posix);
  if (c == '\0')
    return fail("the pattern has a NUL");
  canRepeat = c != '|' && c != '^' && c != '$';
  if (c == '[')
    return translateBracket(posix);
  hasAlternatives |= c == '|';
  if (c == '}')
    posix += '\\';
  posix += c;
  return Error::success();
}

Error Translator::run(std::string &posix) {
  while (!rest.empty() && rest.front() != ')')
    if (Error error = translateOne(posix))
      return error;
  return Error::success();
}

Expected<PythonRegex> PythonRegex::compile(StringRef pattern) {
  if (pattern.size() > maxLength)
    return createStringError("the pattern has more than " + Twine(maxLength) +
                             " characters");
  PythonRegex result;
  bool ignoresCase = pattern.consume_front("(?i)");
  auto add = [&](StringRef posix, bool isNegative) -> Error {
    // Alternatives are anchored together.
    std::string anchored = posix.empty() ? "^" : ("^(" + posix + ")").str();
    Regex regex(anchored, ignoresCase ? Regex::IgnoreCase : Regex::NoFlags);
    std::string message;
    if (!regex.isValid(message))
      return createStringError(message);
    result.parts.push_back({std::move(regex), isNegative});
    return Error::success();
  };

  StringRef rest = pattern;
  rest.consume_front("^");
  bool hasLookahead = false;
  while (rest.starts_with("(?!") || rest.starts_with("(?=")) {
    bool isNegative = rest[2] == '!';
    hasLookahead = true;
    Translator inner(rest.drop_front(3));
    std::string posix;
    if (Error error = inner.run(posix))
      return std::move(error);
    rest = inner.rest;
    if (!rest.consume_front(")"))
      return createStringError("'(' is not closed");
    if (Error error = add(posix, isNegative))
      return std::move(error);
  }
  Translator translator(hasLookahead ? rest : pattern);
  std::string posix;
  if (Error error = translator.run(posix))
    return std::move(error);
  if (!translator.rest.empty())
    return createStringError("')' without '('");
  // An alternative outside would be one without the lookahead.
  if (hasLookahead && translator.hasAlternatives)
    return createStringError(
        "'|' after a lookahead is not supported; put it in a group");
  if (Error error = add(posix, /*isNegative=*/false))
    return std::move(error);
  return result;
}

bool PythonRegex::matches(StringRef text) const {
  for (const Part &part : parts)
    if (part.regex.match(text) == part.isNegative)
      return false;
  return true;
}
