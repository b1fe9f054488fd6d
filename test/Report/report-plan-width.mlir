// The table fits 120 columns whatever the names are: they are cut in front
// (where names of layers are alike), then what is widest, and reasons wrap.
// RUN: mx-opt %s --allow-unregistered-dialect --mx-report-plan=output=%t.txt -o /dev/null
// RUN: FileCheck %s --input-file=%t.txt --match-full-lines --strict-whitespace
// RUN: %python -c "import sys; sys.exit(any(len(line) > 121 for line in open(sys.argv[1], encoding='utf-8')))" %t.txt

//      CHECK:index  op                name              role              m x n x k         lhs                rhs                why
// CHECK-NEXT:12345  a.dialect_of_...  ...ers.naïve.fc1  attention_scores  123456x123456...  int4_g32, bloc...  int4_g32, bloc...  1
//      CHECK:    1  this reason has a good many words, more than a line of the report has room for, so that it goes on in the next
// CHECK-NEXT:       one (rule a rule)
func.func @main() attributes {mx.plan = [#mx.entry<index = 12345, op = "a.dialect_of_a_long_name.with_a_product_of_a_long_name",
    location = "model.decoder.layers.naïve.fc1", role = attention_scores, shape = 123456x123456x123456x123456,
    lhs = f32, rhs = f32, accumulate = f32, scheme = "by hand",
    decision = <lhs = <format = <element = int4, block = 1x24, scale = bf16, rule = amax>>,
                rhs = <format = <element = int4, block = 1x24, scale = f16, rule = amax>>, rule = "a rule",
                reason = "this reason has a good many words, more than a line of the report has room for, so that it goes on in the next one">>]} {
  return
}
