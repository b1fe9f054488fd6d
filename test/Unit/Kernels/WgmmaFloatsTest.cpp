// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Warp-specialised kernels that no op asks for yet, two 16-bit operands: built,
// compiled to PTX, executed by the emulator. Small integers, so that sums are
// exact in any order.

#include "mx/Emulator/Device.h"
#include "mx/Emulator/TensorMap.h"
#include "mx/Kernels/Gemm.h"
#include "mx/Target/NVPTX.h"
#include "mx/Target/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mx;
using kernels::GemmArgument;
using kernels::GemmConfig;

namespace {
class WgmmaFloats : public ::testing::Test {
protected:
  WgmmaFloats() {
    DialectRegistry registry;
    registerAllDialects(registry);
    registerAllExtensions(registry);
    registerNVPTXTarget(registry);
    context.appendDialectRegistry(registry);
    context.loadDialect<MXDialect>();
    context.loadAllAvailableDialects();
  }

  std::string compile(const GemmConfig &config);
  void check(GemmConfig config, int64_t m, int64_t n);

  MLIRContext context;
};
} // namespace

std::string WgmmaFloats::compile(const GemmConfig &config) {
  Location loc = UnknownLoc::get(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder b = OpBuilder::atBlockBegin(module->getBody());
  auto gpuModule = gpu::GPUModuleOp::create(b, loc, "k");
  b.setInsertionPointToStart(gpuModule.getBody());
  kernels::buildGemm(b, loc, config, "k");
  PassManager pm(&context);
  OpPassManager &gpu = pm.nest<gpu::GPUModuleOp>();
  gpu.addPass(createSCFToControlFlowPass());
  gpu.addPass(createConvertGpuOpsToNVVMOps());
  gpu.addPass(createConvertNVVMToLLVMPass());
  gpu.addPass(createCanonicalizerPass());
  gpu.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createMXPassTensorMaps());
  if (failed(pm.run(*module)))
    return "";
  FailureOr<PTX> ptx = translateToPTX(
      gpuModule, NVPTXTargetAttr::get(&context, "sm_90a", /*ptx=*/0, /*O=*/3));
  return succeeded(ptx) ? ptx->text : "";
}

/// A number from -4 to 4, exact in 16 bits, and its code.
static int64_t getValue(int64_t row, int64_t k) {
  return (row * 7 + k * 5 + row * k) % 9 - 4;
}
static uint16_t encode(Type type, int64_t value) {
  APFloat number(static_cast<double>(value));
  bool losesInfo;
  number.convert(cast<FloatType>(type).getFloatSemantics(),
                 APFloat::rmNearestTiesToEven, &losesInfo);
  return number.bitcastToAPInt().getZExtValue();
}

void WgmmaFloats::check(GemmConfig config, int64_t m, int64_t n) {
  std::string text = compile(config);
  ASSERT_FALSE(text.empty());
  auto module = ptx::parseModule(text, "k.ptx");
  ASSERT_TRUE(static_cast<bool>(module)) << toString(module.takeError());

  ptx::Device device;
  const ptx::Function *entry = module->lookupEntry("k");
  ptx::ParameterLayout layout = ptx::getParameterLayout(*entry);
  std::vector<uint8_t> parameters(layout.size);
  uint64_t result = device.allocate("result", m * n * sizeof(float));
  auto roles = kernels::getGemmArguments(config);
  ASSERT_EQ(roles.size(), layout.offsets.size());
  for (auto [argument, offset] : llvm::zip_equal(roles, layout.offsets)) {
    auto put = [&, offset = offset](const void *data, size_t size) {
      std::memcpy(&parameters[offset], data, size);
    };
    int32_t extent = argument.role == GemmArgument::M ? m : n;
    if (argument.role == GemmArgument::Result) {
      put(&result, sizeof(result));
    } else if (argument.role != GemmArgument::TensorMap) {
      put(&extent, sizeof(extent));
    } else {
      int64_t rows = argument.operand == 0 ? m : n;
      Type type = argument.operand == 0 ? config.lhs.type : config.rhs.type;
      std::vector<uint8_t> bytes;
      for (int64_t i = 0; i < rows * config.k; ++i) {
        uint16_t code = encode(
            type, getValue(i / config.k + argument.operand, i % config.k));
        bytes.push_back(code);
        bytes.push_back(code >> 8);
      }
      uint64_t address = device.allocate("operand", bytes.size());
      cantFail(device.write(address, bytes));
      kernels::TensorMapConfig map =
          kernels::getTensorMap(config, argument.operand);
      ptx::TensorMapParams params;
      params.element = static_cast<ptx::TensorElement>(map.dataType);
      params.address = address;
      params.dims = {uint64_t(config.k), uint64_t(rows)};
      params.strides = {uint64_t(config.k * map.elementBytes)};
      params.box = {uint32_t(map.boxK), uint32_t(map.boxRows)};
      params.elementStrides = {1, 1};
      params.swizzle = static_cast<ptx::TensorSwizzle>(map.swizzle);
      ptx::TensorMapBytes encoded = cantFail(ptx::encodeTensorMap(params));
      put(encoded.data(), encoded.size());
    }
  }

  ptx::LaunchConfig launch;
  launch.grid.x = 2;
  launch.block.x = config.getNumThreads();
  launch.dynamicShared = kernels::getGemmSharedBytes(config);
  launch.parameters = parameters;
  llvm::Error error = device.launch(*module, "k", launch);
  ASSERT_FALSE(static_cast<bool>(error)) << toString(std::move(error));
  std::vector<float> sums(m * n);
  cantFail(device.read(result, {reinterpret_cast<uint8_t *>(sums.data()),
                                sums.size() * sizeof(float)}));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      int64_t sum = 0;
      for (int64_t k = 0; k < config.k; ++k)
        sum += getValue(i, k) * getValue(j + 1, k);
      ASSERT_EQ(sums[i * n + j], float(sum)) << i << ", " << j;
    }
}

// Ragged in M, N and K; more tiles than blocks; a ring that goes around, with
// stages that K does not reach.
TEST_F(WgmmaFloats, Products) {
  GemmConfig config;
  config.result = Float32Type::get(&context);
  config.tileM = 128;
  config.tileN = 16;
  config.tileK = 64;
  config.warpsM = 8;
  config.warpsN = 1;
  config.stages = 3;
  config.k = 296;
  config.atom = Instruction::wgmma_bf16;
  config.lhs.type = config.rhs.type = BFloat16Type::get(&context);
  check(config, 130, 21);
  config.atom = Instruction::wgmma_f16;
  config.lhs.type = config.rhs.type = Float16Type::get(&context);
  check(config, 130, 21);
}
