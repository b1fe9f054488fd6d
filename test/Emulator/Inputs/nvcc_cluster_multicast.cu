// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// nvcc -arch=sm_90a -std=c++17 -ptx
//
// A pair of blocks shares tiles: each loads half of every tile and sends it to
// both; stages are freed by arrivals of both blocks. out[t] sums, over tiles of
// 16 rows of 128 bytes, the 16 bytes t of the tile as the swizzle places them:
// unit (t % 8) ^ (t / 8 % 8) of row t / 8.
#include <cuda.h>
#include <cuda/ptx>
namespace ptx = cuda::ptx;
constexpr int stages = 2, tiles = 6;
extern "C" __global__ void __cluster_dims__(2, 1, 1) __launch_bounds__(160, 1)
    sum(const __grid_constant__ CUtensorMap map, unsigned *out) {
  __shared__ alignas(1024) unsigned char tile[stages][2][1024];
  __shared__ uint64_t full[stages], empty[stages];
  unsigned rank = ptx::get_sreg_cluster_ctarank(), warp = threadIdx.x / 32;
  if (threadIdx.x == 0) {
    for (int i = 0; i < stages; ++i) {
      ptx::mbarrier_init(&full[i], 1);
      ptx::mbarrier_init(&empty[i], 2 * 128);
    }
    ptx::fence_mbarrier_init(ptx::sem_release, ptx::scope_cluster);
  }
  ptx::barrier_cluster_arrive(ptx::sem_relaxed);
  ptx::barrier_cluster_wait(ptx::sem_acquire);
  if (warp == 4) {
    if (threadIdx.x == 128)
      for (int t = 0; t < tiles; ++t) {
        int s = t % stages, phase = t / stages & 1;
        while (!ptx::mbarrier_try_wait_parity(&empty[s], phase ^ 1))
          ;
        ptx::mbarrier_arrive_expect_tx(ptx::sem_release, ptx::scope_cta,
                                       ptx::space_shared, &full[s], 2048);
        int32_t at[2] = {0, t * 16 + int(rank) * 8};
        ptx::cp_async_bulk_tensor(ptx::space_cluster, ptx::space_global,
                                  tile[s][rank], &map, at, &full[s],
                                  uint16_t(3));
      }
  } else {
    unsigned total = 0;
    for (int t = 0; t < tiles; ++t) {
      int s = t % stages, phase = t / stages & 1;
      while (!ptx::mbarrier_try_wait_parity(&full[s], phase))
        ;
      const uint4 v = reinterpret_cast<const uint4 *>(tile[s])[threadIdx.x];
      unsigned word = v.x + v.y + v.z + v.w;
      for (int i = 0; i < 4; ++i)
        total += word >> 8 * i & 255;
      for (int r = 0; r < 2; ++r) {
        uint32_t address = uint32_t(__cvta_generic_to_shared(&empty[s])),
                 remote;
        asm("mapa.shared::cluster.u32 %0, %1, %2;"
            : "=r"(remote)
            : "r"(address), "r"(r));
        asm volatile(
            "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::
                "r"(remote)
            : "memory");
      }
    }
    out[rank * 128 + threadIdx.x] = total;
  }
  ptx::barrier_cluster_arrive();
  ptx::barrier_cluster_wait();
}
