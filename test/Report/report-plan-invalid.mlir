// RUN: not mx-opt %s --mx-report-plan 2>&1 | FileCheck %s --check-prefix=NOPLAN
// NOPLAN: report-plan-invalid.mlir:[[#]]:1: error: no function has a plan; run mx-annotate first
// NOPLAN-NOT: {{error|note}}:

// RUN: not mx-opt %s --mx-annotate --mx-report-plan=output=%t.none/plan.txt 2>&1 | FileCheck %s --check-prefix=FILE
// FILE: error: {{.*}}.none/plan.txt{{.*}}: {{[Nn]}}o such file or directory

// RUN: not mx-opt %s --mx-annotate --mx-report-plan=format=xml 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: Cannot find option named 'xml'

module {
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
}
