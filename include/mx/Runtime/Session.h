// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program with its parameters in place, to be called on inputs.

#ifndef MX_RUNTIME_SESSION_H
#define MX_RUNTIME_SESSION_H

#include "mx/Runtime/Program.h"
#include "mx/Support/Safetensors.h"

#include "llvm/ADT/SmallVector.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace mx {

/// A row-major tensor in memory with the descriptor that compiled code takes:
/// two pointers, an offset of 0, the extents, the strides in elements.
class HostTensor {
public:
  /// A view of `data`, which has to outlive it and is never written.
  HostTensor(llvm::ArrayRef<int64_t> shape, const char *data);
  /// Takes over what compiled code has written: a descriptor whose buffer is
  /// malloc'ed.
  HostTensor(unsigned rank, const int64_t *descriptor);

  llvm::ArrayRef<int64_t> getShape() const;
  int64_t getNumElements() const;
  const char *getData() const;
  void *getDescriptor() { return words.data(); }

  static unsigned getDescriptorWords(unsigned rank) { return 3 + 2 * rank; }

private:
  struct Free {
    void operator()(char *buffer) const { std::free(buffer); }
  };
  std::vector<int64_t> words;
  std::unique_ptr<char, Free> owned;
};

/// Checks that a tensor of this type and shape can be given as `wanted`; a
/// message otherwise. Bytes are what counts: an unsigned integer is as good as
/// a signless one, and any 1-byte type is where MLIR's type is a float that
/// NumPy lacks.
std::string checkTensor(const ProgramTensor &wanted, llvm::StringRef dtype,
                        llvm::ArrayRef<int64_t> shape);

/// What a program's parameters are bound to.
class Session {
public:
  /// Finds each parameter in the checkpoint (null: there is none). An error
  /// names the file and the parameter. Both have to outlive the session.
  static llvm::Expected<Session> bind(const Program &program,
                                      const Safetensors *weights);

  /// Runs the prepare functions, one after another, each tensor of the
  /// checkpoint being dropped from memory when no more of them use it and the
  /// entry does not either. To be called once, after the program is compiled.
  void prepare();

  /// Calls the entry. `inputs` are for the arguments that are no parameters,
  /// in order; their types have been checked.
  std::vector<HostTensor> run(llvm::MutableArrayRef<HostTensor> inputs);

  /// The value of one of the entry's arguments, given `inputs` as for `run`.
  const HostTensor &getArgument(unsigned index,
                                llvm::ArrayRef<HostTensor> inputs) const;

private:
  explicit Session(const Program &program) : program(program) {}

  const Program &program;
  const Safetensors *weights = nullptr;
  struct Parameter {
    HostTensor tensor;
    const SafetensorsEntry *entry;
    /// Holds the tensor if the file has it at an unaligned position.
    std::unique_ptr<char[]> copy;
  };
  /// By the entry's argument; nothing for an input.
  std::vector<std::optional<Parameter>> parameters;
  std::vector<HostTensor> prepared;
};

} // namespace mx

#endif // MX_RUNTIME_SESSION_H
