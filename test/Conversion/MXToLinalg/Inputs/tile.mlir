// Tiles and fuses the function @tiled of tiled-execute.mlir.
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %f = transform.structured.match ops{["func.func"]} attributes {sym_name = "tiled"} in %root : (!transform.any_op) -> !transform.any_op
    %amax = transform.structured.match ops{["mx.amax"]} in %f : (!transform.any_op) -> !transform.any_op
    %a:3 = transform.structured.tile_using_for %amax tile_sizes [7, 11] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %mm = transform.structured.match ops{["mx.matmul"]} in %f : (!transform.any_op) -> !transform.any_op
    %m:4 = transform.structured.fuse %mm tile_sizes [12, 16, 2] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}
