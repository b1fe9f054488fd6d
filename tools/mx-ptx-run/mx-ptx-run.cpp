#include "mx/Emulator/Module.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
int main(int c, char **v) {
  for (int i = 1; i < c; ++i) {
    auto b = llvm::MemoryBuffer::getFile(v[i]);
    auto m = mx::ptx::parseModule((*b)->getBuffer(), v[i]);
    if (!m) { llvm::errs() << toString(m.takeError()) << "\n"; continue; }
    for (auto &f : m->functions) llvm::outs() << f.name << " " << f.instructions.size() << " " << f.registers.size() << "\n";
  }
}
