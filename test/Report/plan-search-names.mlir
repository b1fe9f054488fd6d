// Layers whose names could be read as a class, as a regular expression, or that
// several products share: the recipe matches what was chosen, and nothing else.

// RUN: %python %S/Inputs/write_array.py %t.npy 4 64
// RUN: mx-run %s --inputs %t.npy --plan-search effective_bits=22 --candidates mxfp4 --out %t.yaml > %t.txt 2> %t.err
// RUN: FileCheck %s --check-prefix=RECIPE --input-file=%t.yaml
// RUN: mx-opt %s --mx-annotate=recipe=%t.yaml --mx-report-plan="format=json output=-" -o /dev/null 2>> %t.err > %t.json
// RUN: %python %S/Inputs/check_search.py %t.json %t.txt | FileCheck %s --check-prefix=BITS
// RUN: count 0 < %t.err

// Two of the five weights in MXFP4 are enough.
// RECIPE:      - scheme: mxfp4
// RECIPE-NEXT:   roles: [linear, expert]
// RECIPE-NEXT:   gemm: fprop
// RECIPE-NEXT:   targets:
// RECIPE:      - keep: true
// BITS:      3 kept
// BITS-NEXT: 2 mxfp4
// BITS-NEXT: effective bits 20.9000

// All of them.
// RUN: mx-run %s --inputs %t.npy --plan-search effective_bits=4.25 --candidates mxfp4 --out %t.all.yaml | FileCheck %s --check-prefix=ALL
// RUN: FileCheck %s --check-prefix=ALL-RECIPE --input-file=%t.all.yaml
// ALL: effective_bits 4.2500 relative_error {{[0-9.e-]+}} quantized 4 of 4 layers
// ALL-RECIPE:      - scheme: mxfp4
// ALL-RECIPE:        - "re:Linear$"
// ALL-RECIPE-NEXT:   - "re:re:\\.\\*$"
// ALL-RECIPE-NEXT:   - "block[0].up\"\\"
// ALL-RECIPE-NEXT:   - "block.twice"
// ALL-RECIPE-NOT:    -

// As many bits as there are: all layers stay as they are, which is no error.
// RUN: mx-run %s --inputs %t.npy --plan-search effective_bits=32 --candidates mxfp4 | FileCheck %s --check-prefix=KEEP
// KEEP:      # 32 bits {{.*}} error of the results 0,
// KEEP:      mx_rules:
// KEEP-NEXT:   - keep: true
func.func @main(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %w0 = arith.constant dense<0.1> : tensor<64x64xf32>
  %w1 = arith.constant dense<0.2> : tensor<64x64xf32>
  %w2 = arith.constant dense<0.3> : tensor<64x64xf32>
  %w3 = arith.constant dense<0.4> : tensor<64x64xf32>
  %w4 = arith.constant dense<0.7> : tensor<64x64xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x64xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %0 = linalg.matmul ins(%x, %w0 : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32> loc("Linear")
  %1 = linalg.matmul ins(%x, %w1 : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32> loc("re:.*")
  %2 = linalg.matmul ins(%x, %w2 : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32> loc("block[0].up\22\5C")
  %3 = linalg.matmul ins(%x, %w3 : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32> loc("block.twice")
  %4 = linalg.matmul ins(%x, %w4 : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32> loc("block.twice")
  %5 = arith.addf %0, %1 : tensor<4x64xf32>
  %6 = arith.addf %5, %2 : tensor<4x64xf32>
  %7 = arith.addf %6, %3 : tensor<4x64xf32>
  %8 = arith.addf %7, %4 : tensor<4x64xf32>
  return %8 : tensor<4x64xf32>
}
