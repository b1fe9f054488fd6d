# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Reference documentation from the TableGen files, by the target mx-doc.
add_custom_target(mx-doc)

# mx_add_doc(file.td OUTPUT.md generator-flags...): docs/OUTPUT.md in the build folder.
function(mx_add_doc td output)
  set(input ${PROJECT_SOURCE_DIR}/${td})
  set(file ${PROJECT_BINARY_DIR}/docs/${output})
  get_filename_component(folder ${input} DIRECTORY)
  add_custom_command(OUTPUT ${file}
    COMMAND ${MLIR_TABLEGEN_EXE} ${ARGN} ${input} -o ${file}
            -I ${folder} -I ${MLIR_INCLUDE_DIRS}
            -I ${PROJECT_SOURCE_DIR}/dialects -I ${PROJECT_SOURCE_DIR}/include
            --write-if-changed
    DEPENDS ${input})
  string(MAKE_C_IDENTIFIER mx-doc-${output} target)
  add_custom_target(${target} DEPENDS ${file})
  add_dependencies(mx-doc ${target})
endfunction()

mx_add_doc(dialects/mx/MXOps.td Dialects/mx.md -gen-dialect-doc -dialect=mx)
mx_add_doc(dialects/mxgpu/MXGPUOps.td Dialects/mxgpu.md -gen-dialect-doc -dialect=mxgpu)
foreach(folder Transforms Report Target Conversion/MXToLinalg Conversion/MXToGPU
               Conversion/MXGPUToNVVM Conversion/LinalgToCPU)
  get_filename_component(name ${folder} NAME)
  mx_add_doc(include/mx/${folder}/Passes.td Passes/${name}.md -gen-pass-doc)
endforeach()
