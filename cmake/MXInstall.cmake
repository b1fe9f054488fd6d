# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `cmake --install`: tools, plugin, headers, libraries, and a package that
# find_package(MX) finds. A consumer links MX::MXInitAll, or single layers.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(MX_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/MX)
get_property(libraries GLOBAL PROPERTY MX_LIBRARIES)
install(TARGETS mx-opt mx-run mx-quantize mx-ptx-run)
install(TARGETS MXPlugin LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS ${libraries} EXPORT MXTargets
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT MXTargets NAMESPACE MX:: DESTINATION ${MX_PACKAGE_DIR})
install(DIRECTORY include/mx ${PROJECT_BINARY_DIR}/include/mx
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
        PATTERN CMakeFiles EXCLUDE)
install(DIRECTORY dialects/mx dialects/mxgpu
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mx/dialects
        FILES_MATCHING PATTERN "*.td")
configure_package_config_file(cmake/MXConfig.cmake.in MXConfig.cmake
                              INSTALL_DESTINATION ${MX_PACKAGE_DIR})
write_basic_package_version_file(MXConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/MXConfig.cmake
              ${PROJECT_BINARY_DIR}/MXConfigVersion.cmake
        DESTINATION ${MX_PACKAGE_DIR})
