// RUN: mx-opt %s --mx-lower-precision="scheme=mxfp4 scale-rule=ceil" --mx-report-plan=output=%t.plan | FileCheck %s
// RUN: FileCheck %s --input-file=%t.plan --check-prefix=PLAN
// RUN: not mx-opt %s --mx-lower-precision="scheme=mxfp5" 2>&1 | FileCheck %s --check-prefix=SCHEME
// RUN: mx-opt %s --mx-lower-precision=fallback=silent | FileCheck %s --check-prefix=KEEP

// The same passes by name in stock mlir-opt, and the pipeline.
// RUN: mlir-opt --load-dialect-plugin=%mx_plugin --load-pass-plugin=%mx_plugin %s \
// RUN:   --pass-pipeline="builtin.module(mx-annotate{scheme=mxfp4 scale-rule=ceil},mx-quantize-matmuls,mx-verify-untouched)" | FileCheck %s
// RUN: mlir-opt --load-dialect-plugin=%mx_plugin --load-pass-plugin=%mx_plugin %s \
// RUN:   --pass-pipeline="builtin.module(mx-lower-precision{scheme=mxfp4 scale-rule=ceil},mx-report-plan{format=json output=%t.json},mx-strip,convert-mx-to-linalg)" | FileCheck %s --check-prefix=LINALG

// CHECK:  mx.matmul {{.*}} as <mxfp4, rule = ceil>
// PLAN:   linalg.matmul linear 4x8x64 mxfp4, rule = ceil mxfp4, rule = ceil
// SCHEME: error: unknown scheme 'mxfp5'
// KEEP:   linalg.matmul
// LINALG-NOT: mx.
// LINALG: return
func.func @main(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
