/* Makes one write, fsync, rename, truncation or opening of a file to write below a folder fail: the
   Nth of those counted. Loaded before the C library; armed by `shim_arm`, which a test calls.

   tantivy renames its files by a system call of its own, past the C library: seccomp hands that
   one to a handler of SIGSYS, which makes it another way or refuses it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARGUMENT(c, n) ((c)->uc_mcontext.gregs[(int[]){REG_RDI, REG_RSI, REG_RDX, REG_R10}[n]])
#define RESULT(c) ((c)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define ARGUMENT(c, n) ((c)->uc_mcontext.regs[n])
#define RESULT(c) ((c)->uc_mcontext.regs[0])
#endif

static char below[PATH_MAX];
static long seen, target;
static int failure, lasting;

static void trap_renames(void);

void shim_arm(const char *folder, long number, int error, int keep) {
    trap_renames();
    strncpy(below, folder, sizeof below - 1);
    seen = 0;
    target = number;
    failure = error;
    lasting = keep;
}

long shim_seen(void) { return __atomic_load_n(&seen, __ATOMIC_SEQ_CST); }

static int refused(void) {
    long now = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (target && (now == target || (lasting && now > target))) {
        errno = failure;
        return 1;
    }
    return 0;
}

static int counts_path(const char *path) {
    return below[0] && path && strncmp(path, below, strlen(below)) == 0;
}

static int counts(int fd) {
    char link[64], path[PATH_MAX];
    if (!below[0]) return 0;
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (length < 0) return 0;
    path[length] = 0;
    return counts_path(path);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    return counts(fd) && refused() ? -1 : real(fd, data, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    return counts(fd) && refused() ? -1 : real(fd, parts, count);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    return counts(fd) && refused() ? -1 : real(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    return counts(fd) && refused() ? -1 : real(fd, data, size, at);
}
int fsync(int fd) {
    REAL(fsync);
    return counts(fd) && refused() ? -1 : real(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    return counts(fd) && refused() ? -1 : real(fd);
}
int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    return counts(fd) && refused() ? -1 : real(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    return counts(fd) && refused() ? -1 : real(fd, size);
}

static int opens(const char *path, int flags) {
    return flags & (O_CREAT | O_WRONLY | O_RDWR) && counts_path(path) && refused();
}
#define MODE(flags) va_list rest; va_start(rest, flags); \
    mode_t mode = (flags) & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; va_end(rest)

int open(const char *path, int flags, ...) {
    MODE(flags);
    REAL(open);
    return opens(path, flags) ? -1 : real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags);
    REAL(open64);
    return opens(path, flags) ? -1 : real(path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
    MODE(flags);
    REAL(openat);
    return opens(path, flags) ? -1 : real(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags);
    REAL(openat64);
    return opens(path, flags) ? -1 : real(folder, path, flags, mode);
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int old, const char *from, int new, const char *to) {
    /* Not by SYS_renameat, which the handler below would count again. */
    return counts_path(to) && refused() ? -1 : syscall(SYS_renameat2, old, from, new, to, 0);
}

#ifdef RESULT
static void renamed(int number, siginfo_t *what, void *context) {
    ucontext_t *c = context;
    int kept = errno;
    (void)number, (void)what;
    int done = renameat(ARGUMENT(c, 0), (char *)ARGUMENT(c, 1), ARGUMENT(c, 2), (char *)ARGUMENT(c, 3));
    RESULT(c) = done ? -errno : 0;
    errno = kept;
}

static void trap_renames(void) {
    static int done;
    if (done++) return;
    struct sigaction action = {.sa_sigaction = renamed, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
    sigaction(SIGSYS, &action, NULL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
}
#else
static void trap_renames(void) {}
#endif
