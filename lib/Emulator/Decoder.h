// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From parsed functions to a program that runs. As in the parser, a function
// returns true after it has recorded an error.

#ifndef MX_LIB_EMULATOR_DECODER_H
#define MX_LIB_EMULATOR_DECODER_H

#include "Program.h"

#include "llvm/ADT/DenseMap.h"

namespace mx::ptx {

class Decoder {
public:
  Decoder(Program &program, const Function &kernel,
          llvm::ArrayRef<uint64_t> globalAddresses);

  llvm::Error run();

private:
  bool fail(Location location, const llvm::Twine &message) {
    errorLocation = location;
    errorText = message.str();
    return true;
  }

  // Layout.cpp: functions, memory, registers.
  bool findRoutines();
  bool layOutShared();
  bool checkSize(uint64_t size, uint64_t most, llvm::StringRef what,
                 const Variable &variable);
  bool layOutRoutine(Routine &routine);
  void findRecursion();
  uint64_t getStackSize() const;

  // Decode.cpp: instructions.
  bool decodeInstruction(const Instruction &source, Decoded &decoded);
  void decodeModifiers(const Instruction &source, Decoded &decoded);
  bool decodeOperands(const Instruction &source, llvm::StringRef kinds,
                      Decoded &decoded);
  bool decodeCall(const Instruction &source, Decoded &decoded);
  bool decodePassed(const Operand &list, llvm::ArrayRef<Variable> formals,
                    bool isResult, llvm::SmallVectorImpl<Passed> &passed);

  // Operands.cpp.
  bool decodeOperand(const Operand &operand, llvm::StringRef kind,
                     llvm::StringRef width, Decoded &decoded);
  bool decodeAddress(const Operand &operand, Decoded &decoded);
  bool decodeTensor(const Operand &operand, Decoded &decoded);
  bool decodeValue(const Operand &operand, llvm::StringRef kind, unsigned bits,
                   Type type, Decoded &decoded);
  bool decodeRegister(const Operand &operand, Value value, bool isPredicate,
                      unsigned bits, Decoded &decoded);
  bool decodeSpecial(const Operand &operand, Value value, Decoded &decoded);
  bool decodeConstant(const Operand &operand, Type type, uint64_t &bits);
  bool isShared(const Operand &operand) const;
  /// A .local or .param variable of the routine's frame.
  bool isInFrame(const Operand &operand) const;
  uint32_t getConstant(uint64_t bits, bool isShared);

  Program &program;
  const Module &module;
  /// The routine that is being decoded, and its number.
  Routine *routine = nullptr;
  /// Routines by their functions.
  llvm::DenseMap<const Function *, uint32_t> numbers;
  /// Whom each routine calls.
  std::vector<llvm::SmallVector<uint32_t, 4>> callees;
  Location errorLocation;
  std::string errorText;
};

/// The function of that name and as many parameters which the emulator has
/// itself, or null: vprintf, __assertfail.
Handler getBuiltin(const Function &declaration);
/// What executes a call.
void callRoutine(Warp &warp, const Decoded &decoded);
/// Updates the registers that hold clocks, then executes.
void executeClocked(Warp &warp, const Decoded &decoded);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_DECODER_H
