/* SPDX-License-Identifier: MIT */
/* build_info: what these programs were made of. Its source is made by build_info.cmake. */
#ifndef PROTO_BUILD_INFO_H
#define PROTO_BUILD_INFO_H

/** "1.2.3+abc1234": the version of CMakeLists.txt and the commit; "1.2.3": no commit is known. */
extern const char build_info_version[];

/** The same for people: "1.2.3 (commit abc1234, Release, GNU 12.2.0)". */
extern const char build_info_text[];

#endif
