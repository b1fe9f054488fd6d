// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// nvcc -arch=sm_90 -std=c++17 -ptx. A bulk copy with cuda::barrier, atomics on
// the other block's shared memory, a bulk copy out. out[i] is twice in[i] plus
// the sum of twice the other block's values whose index has the parity of i.
#include <cooperative_groups.h>
#include <cuda/barrier>
#include <cuda/ptx>
namespace cg = cooperative_groups;
namespace ptx = cuda::ptx;
extern "C" __global__ void __cluster_dims__(2, 1, 1)
    k(float *out, const float *in) {
  __shared__ alignas(128) float s[256];
  __shared__ float t[2];
#pragma nv_diag_suppress static_var_with_dynamic_init
  __shared__ cuda::barrier<cuda::thread_scope_block> bar;
  cg::cluster_group cluster = cg::this_cluster();
  if (threadIdx.x == 0) {
    init(&bar, blockDim.x);
    ptx::fence_proxy_async(ptx::space_shared);
  }
  __syncthreads();
  cuda::barrier<cuda::thread_scope_block>::arrival_token token;
  if (threadIdx.x == 0) {
    cuda::device::memcpy_async_tx(s, in + 256 * blockIdx.x,
                                  cuda::aligned_size_t<16>(sizeof(s)), bar);
    token = cuda::device::barrier_arrive_tx(bar, 1, sizeof(s));
  } else
    token = bar.arrive();
  bar.wait(std::move(token));
  float v = s[threadIdx.x] * 2;
  if (threadIdx.x < 2)
    t[threadIdx.x] = 0;
  cluster.sync();
  float *remote = cluster.map_shared_rank(t, cluster.block_rank() ^ 1);
  atomicAdd(&remote[threadIdx.x & 1], v);
  cluster.sync();
  s[threadIdx.x] = v + t[threadIdx.x & 1];
  ptx::fence_proxy_async(ptx::space_shared);
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::cp_async_bulk(ptx::space_global, ptx::space_shared,
                       out + 256 * blockIdx.x, s, sizeof(s));
    ptx::cp_async_bulk_commit_group();
    ptx::cp_async_bulk_wait_group_read(ptx::n32_t<0>());
  }
}
