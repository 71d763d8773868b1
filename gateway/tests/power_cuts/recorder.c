/* Records what a process writes, cuts, renames, removes and syncs below $RECORD_ROOT, in order, into $RECORD_LOG.
 * Preloaded under the real SQLite; it changes nothing. Shared memory (-shm) is not seen: SQLite makes it anew after a cut.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 4096

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static char *names[FILES];
static const char *root;
static int log_file = -1;

#define REAL(type, name, ...) static type (*real_##name)(__VA_ARGS__)
REAL(int, open64, const char *, int, ...);
REAL(int, openat64, int, const char *, int, ...);
REAL(int, close, int);
REAL(ssize_t, write, int, const void *, size_t);
REAL(ssize_t, pwrite64, int, const void *, size_t, off_t);
REAL(int, ftruncate64, int, off_t);
REAL(int, fsync, int);
REAL(int, fdatasync, int);
REAL(int, unlink, const char *);
REAL(int, rename, const char *, const char *);

__attribute__((constructor)) static void begin(void) {
#define FIND(name) real_##name = dlsym(RTLD_NEXT, #name)
    FIND(open64); FIND(openat64); FIND(close); FIND(write); FIND(pwrite64); FIND(ftruncate64); FIND(fsync); FIND(fdatasync);
    FIND(unlink); FIND(rename);
    root = getenv("RECORD_ROOT");
    if (root) log_file = real_open64(getenv("RECORD_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ours(const char *path) { return root && path && strncmp(path, root, strlen(root)) == 0; }
static const char *name_of(int file) { return file >= 0 && file < FILES ? names[file] : NULL; }

/* One record: kind, lengths of name and data, offset (or size, or rename's nothing), name, data. */
static void record(char kind, const char *name, uint64_t offset, const void *data, uint32_t length) {
    uint32_t name_length = (uint32_t)strlen(name);
    size_t size = 17 + name_length + length;
    char *whole = malloc(size);
    whole[0] = kind;
    memcpy(whole + 1, &name_length, 4);
    memcpy(whole + 5, &length, 4);
    memcpy(whole + 9, &offset, 8);
    memcpy(whole + 17, name, name_length);
    if (length) memcpy(whole + 17 + name_length, data, length);
    if (real_write(log_file, whole, size) != (ssize_t)size) abort();
    free(whole);
}

static int opened(int file, const char *path, int flags, int existed) {
    if (file < 0 || file >= FILES || !ours(path)) return file;
    pthread_mutex_lock(&order);
    free(names[file]);
    names[file] = strdup(path);
    if ((flags & O_CREAT) && !existed) record('C', path, 0, NULL, 0);
    if ((flags & O_TRUNC) && existed) record('T', path, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return file;
}

static int mode_of(int flags, va_list rest) { return (flags & O_CREAT) ? va_arg(rest, int) : 0; }

#define OPEN(name)                                                                    \
    int name(const char *path, int flags, ...) {                                      \
        va_list rest; va_start(rest, flags); int mode = mode_of(flags, rest); va_end(rest); \
        int existed = access(path, F_OK) == 0;                                        \
        return opened(real_open64(path, flags, mode), path, flags, existed);          \
    }
#define OPENAT(name)                                                                  \
    int name(int folder, const char *path, int flags, ...) {                          \
        va_list rest; va_start(rest, flags); int mode = mode_of(flags, rest); va_end(rest); \
        int existed = access(path, F_OK) == 0;                                        \
        return opened(real_openat64(folder, path, flags, mode), path, flags, existed); \
    }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)

int close(int file) {
    pthread_mutex_lock(&order);
    if (name_of(file)) { free(names[file]); names[file] = NULL; }
    pthread_mutex_unlock(&order);
    return real_close(file);
}

ssize_t write(int file, const void *data, size_t length) {
    pthread_mutex_lock(&order);
    const char *name = name_of(file);
    off_t at = name ? lseek(file, 0, SEEK_CUR) : 0;
    ssize_t done = real_write(file, data, length);
    if (name && done > 0) record('W', name, (uint64_t)at, data, (uint32_t)done);
    pthread_mutex_unlock(&order);
    return done;
}

static ssize_t put(int file, const void *data, size_t length, off_t at) {
    pthread_mutex_lock(&order);
    ssize_t done = real_pwrite64(file, data, length, at);
    if (name_of(file) && done > 0) record('W', name_of(file), (uint64_t)at, data, (uint32_t)done);
    pthread_mutex_unlock(&order);
    return done;
}
ssize_t pwrite(int file, const void *data, size_t length, off_t at) { return put(file, data, length, at); }
ssize_t pwrite64(int file, const void *data, size_t length, off_t at) { return put(file, data, length, at); }

static int cut(int file, off_t size) {
    pthread_mutex_lock(&order);
    int done = real_ftruncate64(file, size);
    if (name_of(file) && done == 0) record('T', name_of(file), (uint64_t)size, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}
int ftruncate(int file, off_t size) { return cut(file, size); }
int ftruncate64(int file, off_t size) { return cut(file, size); }

/* Recorded after it has returned: only then may anybody rely on it. */
#define SYNC(name)                                                                    \
    int name(int file) {                                                              \
        pthread_mutex_lock(&order);                                                   \
        int done = real_##name(file);                                                 \
        if (name_of(file) && done == 0) record('S', name_of(file), 0, NULL, 0);       \
        pthread_mutex_unlock(&order);                                                 \
        return done;                                                                  \
    }
SYNC(fsync) SYNC(fdatasync)

int unlink(const char *path) {
    pthread_mutex_lock(&order);
    int done = real_unlink(path);
    if (done == 0 && ours(path)) record('U', path, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}
int unlinkat(int folder, const char *path, int flags) { return unlink(path); }

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&order);
    int done = real_rename(from, to);
    if (done == 0 && ours(from)) record('R', from, 0, to, (uint32_t)strlen(to));
    pthread_mutex_unlock(&order);
    return done;
}
int renameat(int a, const char *from, int b, const char *to) { return rename(from, to); }
