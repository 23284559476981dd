/* SPDX-License-Identifier: MIT */
/*
 * corpus_main: runs a fuzz target once for each file of the folders or files named, so that what
 * fuzzing has found stays found without a fuzzer. Fails when there is nothing to run.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CORPUS_FILE_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int corpus_run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(CORPUS_FILE_MAX);
    if (file == NULL || data == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    size_t size = fread(data, 1, CORPUS_FILE_MAX, file);
    fclose(file);
    printf("%s (%zu bytes)\n", path, size);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int corpus_run(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    if (!S_ISDIR(info.st_mode)) {
        return corpus_run_file(path);
    }
    DIR *folder = opendir(path);
    const struct dirent *item;
    int count = 0;
    while (folder != NULL && (item = readdir(folder)) != NULL) {
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, item->d_name);
        if (item->d_name[0] != '.') {
            count += corpus_run_file(inner);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        count += corpus_run(argv[i]);
    }
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
