/* monitor.c in lock-step: the host owns its time, as the port for the MicroPython VM lets it (ports/lockstep.py). */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int virtual_clock(clockid_t clock, struct timespec *t);
int virtual_poll(struct pollfd *input, nfds_t n, int timeout);
ssize_t virtual_read(int file, void *octets, size_t room);
ssize_t virtual_write(int file, const void *frame, size_t n);

#define clock_gettime virtual_clock
#define poll virtual_poll
#define read virtual_read
#define write virtual_write
#include MONITOR
#undef read
#undef write

enum { RESET = 0x80, IDLE_MS = 60000 };
static int64_t virtual_ms;
static uint8_t waiting_octets[256];
static int waiting_n;

int virtual_clock(clockid_t clock, struct timespec *t)
{
    (void)clock;
    t->tv_sec = virtual_ms / 1000;
    t->tv_nsec = virtual_ms % 1000 * 1000000;
    return 0;
}

ssize_t virtual_write(int file, const void *frame, size_t n)
{
    uint8_t size = (uint8_t)n;
    if (write(file, &size, 1) != 1 || write(file, frame, n) != (ssize_t)n)
        _exit(1);
    return (ssize_t)n;
}

ssize_t virtual_read(int file, void *octets, size_t room)
{
    int n = waiting_n;
    (void)file;
    (void)room;
    memcpy(octets, waiting_octets, (size_t)n);
    waiting_n = 0;
    return n;
}

static void sooner(int64_t *wake, int64_t ms)
{
    if (ms < *wake)
        *wake = ms > 1 ? ms : 1;
}

/* When something is due next, of all that time alone brings. */
static int64_t wake_ms(void)
{
    int64_t wake = IDLE_MS;
    const int at[] = {BLIND_DELAY, BLIND_ESCALATE};
    sooner(&wake, s.hk_ms - now);
    sooner(&wake, s.waiting ? s.reply_ms - now : s.poll_ms - now);
    for (int of = CABIN; of <= BLIND; of++) {
        const Alarm *a = alarms[of];
        if (a->suppressed)
            sooner(&wake, a->suppressed_until_ms - now);
        if (a->state && s.parameter[REMIND])
            sooner(&wake, a->told_ms + s.parameter[REMIND] * 1000LL - now);
    }
    for (int i = 0; i < 2; i++)
        if (s.health && s.blindness < s.parameter[at[i]] * 4000LL)
            sooner(&wake, (s.parameter[at[i]] * 4000LL - s.blindness + 3) / 4);
    for (int c = NONE; c < EMERGENCY && s.blind.state; c++)
        if (s.blind.held_ms[c] >= 0 && s.blind.held_ms[c] < off_delay_ms(&s.blind))
            sooner(&wake, off_delay_ms(&s.blind) - s.blind.held_ms[c]);
    return wake;
}

static uint32_t given(int octets)
{
    uint8_t in[4];
    for (int k = 0; k < octets;) {
        ssize_t n = read(STDIN_FILENO, in + k, (size_t)(octets - k));
        if (n <= 0)
            _exit(0);
        k += (int)n;
    }
    return get(in, octets);
}

/* Octets that the monitor has not read yet; or end this step with its answer, and take the next from the host. */
int virtual_poll(struct pollfd *input, nfds_t n, int timeout)
{
    (void)input;
    (void)n;
    (void)timeout;
    if (waiting_n)
        return 1;
    uint8_t end[5] = {0};
    int64_t wake = wake_ms();
    for (int i = 0; i < 4; i++)
        end[1 + i] = (uint8_t)(wake >> (24 - 8 * i));
    if (write(STDOUT_FILENO, end, sizeof end) != sizeof end)
        _exit(1);
    int count = (int)given(1);
    if (count == RESET) {
        boot((int)given(1));
        return 0;
    }
    virtual_ms += given(4);
    for (waiting_n = 0; waiting_n < count; waiting_n++)
        waiting_octets[waiting_n] = (uint8_t)given(1);
    return 0;
}
