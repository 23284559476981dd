# SPDX-License-Identifier: MIT
# embed_web: makes a C file that holds the page's files, their types and entity tags.
#   cmake -DOUT=file.c "-DFILES=index.html;app.js" -P embed_web.cmake
set(type.html "text/html; charset=utf-8")
set(type.css "text/css; charset=utf-8")
set(type.js "text/javascript; charset=utf-8")
set(type.svg "image/svg+xml")
set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS FILES)
    get_filename_component(name ${file} NAME)
    get_filename_component(extension ${file} LAST_EXT)
    if(NOT DEFINED type${extension})
        message(FATAL_ERROR "${file}: no content type is known for ${extension}")
    endif()
    set(type "${type${extension}}")
    set(path "web/${name}")
    if(name STREQUAL "index.html")
        set(path "")
    endif()
    file(READ ${file} hex HEX)
    file(SHA256 ${file} hash)
    string(SUBSTRING ${hash} 0 32 tag)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const uint8_t web_asset_${number}[] = {${bytes}};\n")
    string(APPEND rows "    {\"${path}\", \"${type}\", \"\\\"${tag}\\\"\", web_asset_${number}, sizeof web_asset_${number}},\n")
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "#include \"node/front/web_assets.h\"\n\n${arrays}
static const struct web_asset web_assets[] = {\n${rows}};

const struct web_asset *web_asset_find(struct bytes path)
{
    for (size_t i = 0; i < sizeof web_assets / sizeof web_assets[0]; i++) {
        if (bytes_equal(path, bytes_str(web_assets[i].path))) {
            return &web_assets[i];
        }
    }
    return NULL;
}\n")
