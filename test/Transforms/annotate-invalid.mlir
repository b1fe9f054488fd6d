// Each is one error, at the module or at what is wrong in it.

// RUN: not mx-opt %s --mx-annotate=scheme=nvfp5 2>&1 | FileCheck %s --check-prefix=SCHEME
// SCHEME: annotate-invalid.mlir:[[#]]:1: error: unknown scheme 'nvfp5'; known are nvfp4, mxfp4, mxfp8, fp8_block, fp8_row,
// SCHEME-NOT: {{error|note}}:

// RUN: not mx-opt %s --mx-annotate=scheme=nvfp4_pretrain 2>&1 | FileCheck %s --check-prefix=LATER
// LATER: error: scheme 'nvfp4_pretrain' is not supported yet (a training recipe); supported are nvfp4, mxfp4,

// RUN: not mx-opt %s --mx-annotate=scheme=W8A8 2>&1 | FileCheck %s --check-prefix=PRESET
// PRESET: error: scheme 'W8A8' is not supported yet (8-bit integers); supported are

// RUN: not mx-opt %s --mx-annotate="scheme=mxfp4 scale-rule=nearest" 2>&1 | FileCheck %s --check-prefix=RULE
// RULE: error: unknown scale rule 'nearest'; known are floor, ceil, even, rceil

// RUN: not mx-opt %s --mx-annotate="scheme=nvfp4 scale-rule=floor" 2>&1 | FileCheck %s --check-prefix=NORULE
// NORULE: error: scale rule 'floor' is for E8M0 scales, which scheme 'nvfp4' does not have

// RUN: not mx-opt %s --mx-annotate=scale-rule=floor 2>&1 | FileCheck %s --check-prefix=ALONE
// ALONE: error: scale rule 'floor' is given without a scheme

// RUN: not mx-opt %s --mx-annotate=recipe=none.yaml 2>&1 | FileCheck %s --check-prefix=RECIPE
// RECIPE: error: recipe 'none.yaml': No such file or directory

// RUN: not mx-opt %s --mx-annotate="recipe=none.yaml scheme=nvfp4" 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: error: a scheme and a recipe are given; give one

// RUN: not mx-opt %s --mx-annotate="scheme=nvfp4 args=%S/Inputs/none.args.json" 2>&1 | FileCheck %s --check-prefix=FILE
// FILE: error: {{.*}}none.args.json{{.*}}: {{[Nn]}}o such file or directory

// RUN: not mx-opt %s --mx-annotate="scheme=nvfp4 args=%S/Inputs/wrong-entry.args.json" 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: annotate-invalid.mlir:[[#]]:1: error: {{.*}}wrong-entry.args.json: the entry 'forward' is not a function of this module
// ENTRY-NOT: {{error|note}}:

// RUN: not mx-opt %s --mx-annotate="scheme=nvfp4 args=%S/Inputs/wrong-count.args.json" 2>&1 | FileCheck %s --check-prefix=COUNT
// COUNT: error: {{.*}}wrong-count.args.json: names 3 arguments, but 'main' has 4

// RUN: not mx-opt %s --mx-annotate="scheme=nvfp4 args=%S/Inputs/wrong-shape.args.json" 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: annotate-invalid.mlir:[[#]]:39: error: {{.*}}wrong-shape.args.json: argument 1 ('fc.weight') is 8x65xf32, but the function's is 8x64xf32
// SHAPE-NOT: {{error|note}}:

// RUN: not mx-opt %s --mx-annotate="scheme=nvfp4 args=%S/Inputs/wrong-dtype.args.json" 2>&1 | FileCheck %s --check-prefix=DTYPE
// DTYPE: error: {{.*}}wrong-dtype.args.json: argument 2 ('tail.weight') is 5x8xbf16, but the function's is 5x8xf32

// RUN: not mx-opt %s --mx-annotate="scheme=nvfp4 args=%S/Inputs/wrong-name.args.json" 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: {{.*}}wrong-name.args.json: argument 2 has the name 'fc.weight' of another argument

module {
func.func @main(%x: tensor<?x64xf32>, %w: tensor<8x64xf32>, %v: tensor<5x8xf32>, %m: index) -> tensor<8x64xf32> {
  return %w : tensor<8x64xf32>
}
}
