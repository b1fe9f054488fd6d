// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tcgen05.mma, dense, with or without block scales (PTX ISA 9.7.16.10): what
// its operands say.

#include "TensorMma.h"

using namespace mx::ptx;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// The instruction
//===----------------------------------------------------------------------===//

namespace {
/// Reads the operands of one instruction.
class MmaReader {
public:
  MmaReader(Warp &warp, const Decoded &decoded, unsigned lane)
      : warp(warp), decoded(decoded), lane(lane) {}

  /// `mma` is ready to start, with its footprints and accesses; false after a
  /// fault.
  bool read(MmaKind kind, unsigned scales, TensorMma &mma);

  llvm::SmallVector<Footprint, 2> reads;
  llvm::SmallVector<BlockAccess, 8> accesses;

private:
  bool fail(const Twine &message) {
    warp.fault(lane, message);
    return false;
  }
  std::optional<uint64_t> readLane(unsigned operand) {
    const uint64_t *lanes = warp.read(decoded.value(operand));
    if (!lanes)
      return std::nullopt;
    return lanes[lane];
  }
  bool readAddress(unsigned operand, unsigned which, TensorAddress &address);
  bool readShared(unsigned operand, const char *name, bool isMNMajor,
                  unsigned rows, Type type, TensorMma &mma,
                  SharedOperand *operands);
  bool readDisabled(unsigned operand, TensorMma &mma);
  bool readScales(TensorMma &mma);
  void use(const TensorMma &mma, TensorAddress address, unsigned count,
           const LaneMask &lanes, TensorUse use);
  bool checkPlaces(const TensorMma &mma);

  Warp &warp;
  const Decoded &decoded;
  unsigned lane;
};
} // namespace

/// `which` of the operands in brackets it is.
bool MmaReader::readAddress(unsigned operand, unsigned which,
                            TensorAddress &address) {
  std::optional<uint64_t> bits = readLane(operand);
  if (!bits)
    return false;
  address = makeTensorAddress(*bits + decoded.addressOffsets[which]);
  return true;
}

bool MmaReader::readShared(unsigned operand, const char *name, bool isMNMajor,
                           unsigned rows, Type type, TensorMma &mma,
                           SharedOperand *operands) {
  std::optional<uint64_t> bits = readLane(operand);
  if (!bits)
    return false;
  std::string problem;
  std::optional<SharedDescriptor> descriptor =
      decodeSharedDescriptor(*bits, DescriptorKind::Tcgen05, problem);
  bool isAtom32 = descriptor && descriptor->mode == TensorSwizzle::B128Atom32;
  if (descriptor && isAtom32 != (isMNMajor && type == Type::TF32))
    problem = "the swizzle of 32-byte atoms and an MN-major tf32 operand "
              "belong together";
  if (!problem.empty())
    return fail(name + Twine(": ") + problem);
  ElementForm layout = getSharedForm(type, isWideKind(mma.form.kind));
  unsigned bytes = isMNMajor ? (getBitWidth(type) + 7) / 8 : 1;
  for (unsigned cta = 0; cta < mma.form.ctas; ++cta) {
    if (!operands[cta].assign(mma.blocks[cta]->shared, *descriptor, isMNMajor,
                              rows, operandBytes, bytes,
                              getPayload(type, layout), problem))
      return fail(name + Twine(": ") + problem);
    operands[cta].addFootprints(reads);
  }
  return true;
}

/// A bit for each lane of D, 128 a block.
bool MmaReader::readDisabled(unsigned operand, TensorMma &mma) {
  llvm::ArrayRef<Value> values = decoded.vector(operand);
  unsigned words = LaneMask::numWords * mma.form.ctas;
  if (values.empty())
    return true;
  if (values.size() != words)
    return fail("disable-output-lane has " + Twine(words) + " registers, not " +
                Twine(values.size()));
  for (auto [i, value] : llvm::enumerate(values)) {
    const uint64_t *lanes = warp.read(value);
    if (!lanes)
      return false;
    mma.disabled[i / LaneMask::numWords].words[i % LaneMask::numWords] =
        lanes[lane];
  }
  return true;
}

bool MmaReader::readScales(TensorMma &mma) {
  // [scale-A] and [scale-B] are the last two operands in brackets.
  unsigned which = decoded.addressOffsets.size() - 2;
  if (!readAddress(4, which, mma.scaleA) ||
      !readAddress(5, which + 1, mma.scaleB))
    return false;
  if (mma.scaleA.lane || mma.scaleB.lane)
    return fail("addresses of scale factors have lane 0");
  use(mma, mma.scaleA, mma.getScaleColumnsA(), LaneMask::makeAll(),
      TensorUse::Operand);
  use(mma, mma.scaleB, mma.getScaleColumnsB(), LaneMask::makeAll(),
      TensorUse::Operand);
  return true;
}

void MmaReader::use(const TensorMma &mma, TensorAddress address, unsigned count,
                    const LaneMask &lanes, TensorUse use) {
  for (unsigned cta = 0; cta < mma.form.ctas; ++cta)
    accesses.push_back(makeAccess(warp, lane, *mma.blocks[cta], lanes,
                                  address.column, count, use));
}

/// D is apart from what is read.
bool MmaReader::checkPlaces(const TensorMma &mma) {
  const BlockAccess &result = accesses.back();
  for (const BlockAccess &other : llvm::ArrayRef(accesses).drop_back())
    if (other.block == result.block && other.access.use == TensorUse::Operand &&
        other.access.range.overlaps(result.access.range))
      return fail("D, columns " + Twine(result.access.range.begin) + " to " +
                  Twine(result.access.range.end - 1) +
                  ", overlaps A or scale factors in columns " +
                  Twine(other.access.range.begin) + " to " +
                  Twine(other.access.range.end - 1));
  return true;
}

bool MmaReader::read(MmaKind kind, unsigned scales, TensorMma &mma) {
  BlockGroup group = getBlockGroup(warp, decoded);
  if (group.empty())
    return false;
  llvm::copy(group, mma.blocks);
  std::optional<uint64_t> bits = readLane(3);
  if (!bits || !readAddress(0, 0, mma.d))
    return false;
  std::string problem;
  std::optional<MmaForm> form = decodeInstructionDescriptor(
      uint32_t(*bits), kind, group.size(), scales, problem);
  if (!form)
    return fail(problem);
  mma.form = *form;
  if (mma.d.lane && !(mma.d.lane == 16 && form->m == 64))
    return fail("the address of D has lane " + Twine(mma.d.lane) +
                ": it has to be 0, or 16 with M = 64");
  LaneMask lanes = mma.getLanes();
  mma.isTensorA = decoded.source->operands[1].kind == Operand::Address;
  if (mma.isTensorA) {
    if (form->isMNMajorA)
      return fail("A in tensor memory is K-major");
    if (!readAddress(1, 1, mma.a))
      return false;
    if (mma.a.lane != mma.d.lane)
      return fail("A and D have to begin in the same lane, not " +
                  Twine(mma.a.lane) + " and " + Twine(mma.d.lane));
    use(mma, mma.a, operandColumns, lanes, TensorUse::Operand);
  } else if (!readShared(1, "matrix A", form->isMNMajorA, mma.getRows(),
                         form->a, mma, mma.sharedA)) {
    return false;
  }
  if (!readShared(2, "matrix B", form->isMNMajorB, form->n / form->ctas,
                  form->b, mma, mma.sharedB))
    return false;
  // Behind the instruction descriptor: scale addresses, or lanes that are not
  // written; then whether D is added, and by which power of two less.
  unsigned enable = scales ? 6 : 5;
  if (scales ? !readScales(mma) : !readDisabled(4, mma))
    return false;
  mma.accumulates = warp.readPredicate(decoded.value(enable)) >> lane & 1;
  if (decoded.getNumOperands() > enable + 1) {
    mma.scaleInput = warp.lanes(decoded.value(enable + 1))[0];
    if (mma.scaleInput > 15 || (kind != MmaKind::F16 && kind != MmaKind::TF32))
      return fail("scale-input-d is 0 to 15, and for kind::f16 and kind::tf32");
  }
  use(mma, mma.d, mma.getColumns(), lanes, TensorUse::Result);
  for (BlockAccess &access : accesses)
    access.access.accumulator = uint64_t(mma.d.lane) << 48 |
                                uint64_t(mma.d.column) << 32 | form->m << 16 |
                                form->n << 4 | unsigned(form->d == Type::F16);
  return !warp.hasFault() && checkPlaces(mma);
}

static void start(Warp &warp, const Decoded &decoded, MmaKind kind,
                  unsigned scales) {
  std::optional<unsigned> lane = getIssuingLane(warp);
  if (!lane)
    return;
  MmaReader reader(warp, decoded, *lane);
  auto mma = std::make_shared<TensorMma>();
  if (!reader.read(kind, scales, *mma))
    return;
  const MmaForm &form = mma->form;
  MatrixProduct product(warp.machine, TensorUnit::Tcgen05, form.d, form.a,
                        scales, form.saturates);
  if (product.isUnknown())
    return warp.fault(*lane, "no model of this target's tcgen05.mma is "
                             "published: use --accumulate exact");
  AsyncOperation operation;
  operation.reads = std::move(reader.reads);
  operation.perform = [mma, product](AsyncOperation &self) {
    mma->run(product, self);
  };
  startTensorOperation(warp, *lane, std::move(operation), reader.accesses);
}

template <MmaKind Kind> static void mma(Warp &warp, const Decoded &decoded) {
  start(warp, decoded, Kind, 0);
}

/// A row has K / 32 scales, or with block16 K / 16.
template <MmaKind Kind>
static void scaledMma(Warp &warp, const Decoded &decoded) {
  bool isFine =
      decoded.hasModifier("block16") || decoded.hasModifier("scale_vec::4X");
  start(warp, decoded, Kind, Kind == MmaKind::MXF8F6F4 ? 1 : isFine ? 4 : 2);
}

#define COLLECTOR                                                              \
  "cta_group::1 cta_group::2 collector::a::fill collector::a::use "            \
  "collector::a::lastuse collector::a::discard"
// [d], a, b, idesc, lanes that are not written, enable-input-d, scale-input-d.
#define DENSE "A m=64 s=64 s=32 o=32 P i?"
#define SCALED "A m=64 s=64 s=32 A A P"

static const Row rows[] = {
    {"tcgen05.mma.kind::f16", "", COLLECTOR, DENSE, mma<MmaKind::F16>},
    {"tcgen05.mma.kind::tf32", "", COLLECTOR, DENSE, mma<MmaKind::TF32>},
    {"tcgen05.mma.kind::f8f6f4", "", COLLECTOR, DENSE, mma<MmaKind::F8F6F4>},
    {"tcgen05.mma.kind::i8", "", COLLECTOR, DENSE, mma<MmaKind::I8>},
    {"tcgen05.mma.kind::mxf8f6f4.block_scale", "",
     COLLECTOR " scale_vec::1X block32", SCALED, scaledMma<MmaKind::MXF8F6F4>},
    {"tcgen05.mma.kind::mxf4.block_scale", "",
     COLLECTOR " scale_vec::2X block32", SCALED, scaledMma<MmaKind::MXF4>},
    {"tcgen05.mma.kind::mxf4nvf4.block_scale.scale_vec::2X", "", COLLECTOR,
     SCALED, scaledMma<MmaKind::MXF4NVF4>},
    {"tcgen05.mma.kind::mxf4nvf4.block_scale.block32", "", COLLECTOR, SCALED,
     scaledMma<MmaKind::MXF4NVF4>},
    {"tcgen05.mma.kind::mxf4nvf4.block_scale.scale_vec::4X", "", COLLECTOR,
     SCALED, scaledMma<MmaKind::MXF4NVF4>},
    {"tcgen05.mma.kind::mxf4nvf4.block_scale.block16", "", COLLECTOR, SCALED,
     scaledMma<MmaKind::MXF4NVF4>},
};

llvm::ArrayRef<Row> mx::ptx::getTcgen05MmaRows() { return rows; }
