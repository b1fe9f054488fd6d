// RUN: mx-opt %s --mx-annotate=scheme=nvfp4a16 --mx-report-plan -o /dev/null 2>&1 | FileCheck %s --check-prefix=TEXT --match-full-lines --strict-whitespace
// RUN: mx-opt %s --mx-annotate=scheme=nvfp4a16 --mx-quantize-matmuls --canonicalize --mx-report-plan="format=json output=%t.json" -o /dev/null
// RUN: FileCheck %s --check-prefix=JSON --input-file=%t.json
// RUN: mx-opt %s --mx-annotate=scheme=nvfp4a16 --mx-report-plan="format=json output=-" -o /dev/null | diff - %t.json

//      TEXT:Precision plan of @main
// TEXT-NEXT:index  op                   name         role    m x n x k         lhs   rhs    why
// TEXT-NEXT:    1  linalg.matmul        blocks.0.fc  linear  ?x8x64            bf16  nvfp4  1
// TEXT-NEXT:    7  linalg.batch_matmul               other   4x8x64 (3 times)  bf16  bf16   2
//TEXT-EMPTY:
// TEXT-NEXT:Precision plan of @second
// TEXT-NEXT:index  op                   name         role    m x n x k         lhs   rhs    why
// TEXT-NEXT:    3  linalg.matmul                     linear  4x2x2             f32   nvfp4  1
//TEXT-EMPTY:
// TEXT-NEXT:why
// TEXT-NEXT:    1  weight × activation (rule default)
// TEXT-NEXT:    2  product of two values that no rule covers (rule default)
//TEXT-EMPTY:
// TEXT-NEXT:2 quantized, 1 kept; 0.3% of the FLOPs of products; parameters 1.0 kB -> 300 B

// JSON:      "ops": [
// JSON-NEXT:   {
// JSON-NEXT:     "accumulate": "f32",
// JSON-NEXT:     "batch": 1,
// JSON-NEXT:     "bytes_after": 292,
// JSON-NEXT:     "bytes_before": 1024,
// JSON-NEXT:     "decision": "quantize",
// JSON-NEXT:     "function": "main",
// JSON-NEXT:     "gemm": "fprop",
// JSON-NEXT:     "index": 1,
// JSON-NEXT:     "k": 64,
// JSON-NEXT:     "lhs": "bf16",
// JSON-NEXT:     "location": "blocks.0.fc",
// JSON-NEXT:     "m": "?",
// JSON-NEXT:     "n": 8,
// JSON-NEXT:     "op": "linalg.matmul",
// JSON-NEXT:     "policy": "nvfp4a16",
// JSON-NEXT:     "reason": "weight × activation",
// JSON-NEXT:     "rhs": "nvfp4",
// JSON-NEXT:     "role": "linear",
// JSON-NEXT:     "rule": "default",
// JSON-NEXT:     "weight": "blocks.0.fc.weight"
// JSON-NEXT:   },
// JSON-NEXT:   {
// JSON-NEXT:     "accumulate": "f32",
// JSON-NEXT:     "batch": 3,
// JSON-NEXT:     "decision": "keep",
// JSON-NEXT:     "flops": 12288,
// JSON-NEXT:     "function": "main",
// JSON-NEXT:     "index": 7,
// JSON-NEXT:     "k": 64,
// JSON-NEXT:     "lhs": "bf16",
// JSON-NEXT:     "location": "",
// JSON-NEXT:     "m": 4,
// JSON-NEXT:     "n": 8,
// JSON-NEXT:     "op": "linalg.batch_matmul",
// JSON-NEXT:     "policy": "keep",
// JSON:        "summary": {
// JSON-NEXT:     "bytes_after": 300,
// JSON-NEXT:     "bytes_before": 1040,
// JSON-NEXT:     "flops_quantized": 0.002{{[0-9]+}},
// JSON-NEXT:     "keep": 1,
// JSON-NEXT:     "quantize": 2
// JSON-NEXT:   },
// JSON-NEXT:   "version": 1
func.func @main(%x: tensor<?x64xbf16>, %w: tensor<64x8xbf16> {mx.parameter = "blocks.0.fc.weight"}, %c: tensor<?x8xf32>,
                %a: tensor<3x4x64xbf16>, %b: tensor<3x64x8xbf16>, %d: tensor<3x4x8xf32>) -> (tensor<?x8xf32>, tensor<3x4x8xf32>) {
  %0 = linalg.matmul ins(%x, %w : tensor<?x64xbf16>, tensor<64x8xbf16>) outs(%c : tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = linalg.batch_matmul ins(%a, %b : tensor<3x4x64xbf16>, tensor<3x64x8xbf16>) outs(%d : tensor<3x4x8xf32>) -> tensor<3x4x8xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<3x4x8xf32>
}

func.func private @declared(tensor<4xf32>)

func.func @second(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %c = tensor.empty() : tensor<4x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%c : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
