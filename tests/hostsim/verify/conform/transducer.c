/* A transducer in C11, written from SPEC.md alone: it shares nothing with the project's codecs.
 *
 * Talks on standard input and output in real time. Its sensor always reads 101325.00 Pa and 295.15 K.
 *     cc -std=c11 -O1 -o transducer transducer.c && cabinwatch conform "exec:./transducer" --role transducer
 * With a file of its two keys, 32 octets, it is a keyed one (section 19):
 *     cabinwatch keygen owner.key && cabinwatch keygen transducer.key --of owner.key --role transducer
 *     cabinwatch conform "exec:./transducer transducer.key" --role transducer --key owner.key
 */
#define _POSIX_C_SOURCE 200809L
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { APID = 0x0A2, PACKET_MAX = 60, STUFFED_MAX = 61, TC_OVERHEAD = 13 };
enum { ACCEPTANCE = 1, COMPLETION = 8 };
enum { BAD_VERSION = 1, BAD_SERVICE, BAD_SUBTYPE, BAD_LENGTH, BAD_COUNT, BAD_STRUCTURE, BAD_PARAMETER = 9, BAD_RANGE };

static const int32_t OFFSET_LOW = -100000, OFFSET_HIGH = 100000;

/* ---- state */

static uint16_t crc_table[256];
static uint8_t stuffed[STUFFED_MAX]; /* the frame that is coming in */
static size_t filled;                /* may count past STUFFED_MAX: over-long */
static uint16_t tm_count;
static int32_t offset_cPa;
static int last_request = -1, last_check, last_failure;
static struct timespec boot_time;

static bool keyed;
static uint8_t keys[32]; /* of commands, of answers */
static uint8_t session[8];
static uint32_t counter; /* of the last accepted guarded telecommand */
static uint8_t last_tag[8];
static uint16_t refused;
static uint64_t told_ms; /* when a refusal was told; 0: never */

/* ---- check sum */

static void crc_init(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint16_t r = (uint16_t)(i << 8);
        for (int bit = 0; bit < 8; bit++)
            r = (uint16_t)(r & 0x8000 ? r << 1 ^ 0x1021 : r << 1);
        crc_table[i] = r;
    }
}

static uint16_t crc(const uint8_t *p, size_t n)
{
    uint16_t r = 0xFFFF;
    while (n--)
        r = (uint16_t)(r << 8 ^ crc_table[(r >> 8 ^ *p++) & 0xFF]);
    return r;
}

/* ---- telemetry */

typedef struct {
    uint8_t octet[PACKET_MAX];
    size_t n;
} Packet;

static void put(Packet *p, uint32_t value, int octets)
{
    while (octets--)
        p->octet[p->n++] = (uint8_t)(value >> 8 * octets);
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)((t.tv_sec - boot_time.tv_sec) * 1000 + (t.tv_nsec - boot_time.tv_nsec) / 1000000);
}

static Packet telemetry(uint8_t service, uint8_t subtype, uint16_t destination)
{
    Packet p = {{0}, 0};
    uint64_t ms = now_ms();
    put(&p, 0x0800 | APID, 2);
    put(&p, 0xC000u | tm_count, 2);
    tm_count = (tm_count + 1) & 0x3FFF;
    put(&p, 0, 2); /* the length, later */
    put(&p, 0x20, 1);
    put(&p, service, 1);
    put(&p, subtype, 1);
    put(&p, 0, 2);
    put(&p, destination, 2);
    put(&p, 0x40, 1);
    put(&p, (uint32_t)(ms / 86400000u), 2);
    put(&p, (uint32_t)(ms % 86400000u), 4);
    return p;
}

static void send_packet(Packet *p)
{
    uint8_t frame[STUFFED_MAX + 2];
    size_t code = 1, out = 2;
    p->octet[5] = (uint8_t)(p->n + 2 - 7);
    put(p, crc(p->octet, p->n), 2);
    frame[0] = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->octet[i]) {
            frame[out++] = p->octet[i];
        } else {
            frame[code] = (uint8_t)(out - code);
            code = out++;
        }
    }
    frame[code] = (uint8_t)(out - code);
    frame[out++] = 0;
    for (size_t done = 0; done < out;) {
        ssize_t k = write(STDOUT_FILENO, frame + done, out - done);
        if (k <= 0)
            _exit(1);
        done += (size_t)k;
    }
}

static void event(uint8_t number, uint8_t cause, uint32_t value)
{
    Packet p = telemetry(5, 1, 0);
    put(&p, number, 1);
    put(&p, cause, 1);
    put(&p, value, 4);
    send_packet(&p);
}

static void boot_event(void)
{
    Packet p = telemetry(5, 1, 0);
    put(&p, 1, 1);      /* boot */
    put(&p, 0, 1);      /* power-on */
    put(&p, 0x0200, 4); /* version 0.2.0 */
    send_packet(&p);
}

/* ---- SipHash-2-4 */

static uint64_t rotated(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] = rotated(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[2] = rotated(v[2], 32);
}

static uint64_t little(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    while (n--)
        v = v << 8 | p[n];
    return v;
}

/* The tag of n octets and then eight that are not sent. */
static void sign(uint8_t tag[8], const uint8_t key[16], const uint8_t *packet, size_t n, const uint8_t unsent[8])
{
    uint8_t m[PACKET_MAX + 8];
    uint64_t k0 = little(key, 8), k1 = little(key + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
    memcpy(m, packet, n);
    memcpy(m + n, unsent, 8);
    n += 8;
    for (size_t i = 0; i <= n; i += 8) {
        uint64_t word = i + 8 <= n ? little(m + i, 8) : little(m + i, n - i) | (uint64_t)n << 56;
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xFF;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    uint64_t result = v[0] ^ v[1] ^ v[2] ^ v[3];
    for (int i = 0; i < 8; i++)
        tag[i] = (uint8_t)(result >> 8 * i);
}

/* ---- telecommands */

static uint32_t get(const uint8_t *p, int octets)
{
    uint32_t v = 0;
    while (octets--)
        v = v << 8 | *p++;
    return v;
}

static void verify(const uint8_t *tc, uint8_t subtype, int failure)
{
    Packet p = telemetry(1, subtype, (uint16_t)get(tc + 9, 2));
    put(&p, get(tc, 4), 4);
    if (failure)
        put(&p, (uint32_t)failure, 1);
    send_packet(&p);
}

/* Service, subtype and octets of data of all that a transducer takes. */
static const uint8_t known[][3] = {{3, 27, 2}, {17, 1, 0}, {20, 1, 2}, {20, 3, 6}};

/* ---- what a keyed node does besides */

enum { BAD_TAG = 14, BAD_COUNTER, COMMANDED = 21, REFUSED };
enum { COMMAND = 1, ANSWER, COMMAND_TRAILER = 13, POLL_TRAILER = 9, LEAP = 1024, END = 1073741823, TELL_MS = 60000 };

static bool guarded(const uint8_t *tc)
{
    return keyed && tc[7] == 20 && tc[8] == 3;
}

/* The challenge in a poll; NULL: it has none. */
static const uint8_t *challenge(const uint8_t *tc, size_t n)
{
    const uint8_t *trailer = tc + TC_OVERHEAD; /* in place of the PEC: 11 octets before it, 2 of data */
    bool has = keyed && tc[7] == 3 && n == TC_OVERHEAD + 2 + POLL_TRAILER && trailer[0] == ANSWER;
    return has ? trailer + 1 : NULL;
}

/* The failure code of a guarded telecommand's trailer; the counter of a good one counts. */
static int judge_trailer(const uint8_t *tc, size_t n, bool *again)
{
    const uint8_t *trailer = tc + TC_OVERHEAD + 4;
    uint8_t tag[8], differ = 0;
    if (n != TC_OVERHEAD + 6 + COMMAND_TRAILER || trailer[0] != COMMAND)
        return BAD_TAG;
    uint32_t its = get(trailer + 1, 4);
    if (its == 0 || its >= END || its < counter || its - counter > LEAP)
        return BAD_COUNTER;
    sign(tag, keys, tc, (size_t)(trailer + 5 - tc), session);
    for (int i = 0; i < 8; i++)
        differ |= tag[i] ^ trailer[5 + i];
    if (differ)
        return BAD_TAG;
    *again = its == counter;
    if (*again && memcmp(tag, last_tag, 8) != 0)
        return BAD_COUNTER;
    counter = its;
    memcpy(last_tag, tag, 8);
    return 0;
}

static void refuse(int failure)
{
    uint64_t ms = now_ms() + 1;
    refused++;
    if (told_ms == 0 || ms - told_ms >= TELL_MS) {
        told_ms = ms;
        event(REFUSED, (uint8_t)failure, refused);
    }
}

static void report_session(uint16_t destination)
{
    Packet p = telemetry(130, 2, destination);
    for (int i = 0; i < 8; i++)
        put(&p, session[i], 1);
    put(&p, counter, 4);
    put(&p, refused, 2);
    put(&p, 0, 1);
    send_packet(&p);
}

/* A new session, as nobody can foretell it. */
static bool draw_session(void)
{
    FILE *f = fopen("/dev/urandom", "rb");
    bool drawn = f != NULL && fread(session, 1, sizeof session, f) == sizeof session;
    if (f != NULL)
        fclose(f);
    return drawn;
}

static bool read_keys(const char *name)
{
    FILE *f = fopen(name, "rb");
    keyed = f != NULL && fread(keys, 1, sizeof keys, f) == sizeof keys;
    if (f != NULL)
        fclose(f);
    return keyed;
}

/* ---- all telecommands */

static int acceptable(const uint8_t *tc, size_t n)
{
    int verdict = BAD_SERVICE;
    if (tc[6] >> 4 != 2)
        return BAD_VERSION;
    if (keyed && tc[7] == 130)
        return tc[8] != 1 ? BAD_SUBTYPE : n != TC_OVERHEAD ? BAD_LENGTH : 0;
    if (guarded(tc) || challenge(tc, n))
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i][0] != tc[7])
            continue;
        if (known[i][1] == tc[8])
            return n - TC_OVERHEAD == known[i][2] ? 0 : BAD_LENGTH;
        verdict = BAD_SUBTYPE;
    }
    return verdict;
}

static int execute(const uint8_t *tc, size_t n, bool again)
{
    uint16_t source = (uint16_t)get(tc + 9, 2);
    const uint8_t *data = tc + 11;
    if (tc[7] == 130) {
        report_session(source);
        return 0;
    }
    if (tc[7] == 17) {
        Packet p = telemetry(17, 2, source);
        send_packet(&p);
        return 0;
    }
    if (data[0] != 1)
        return BAD_COUNT;
    if (tc[7] == 3) {
        if (data[1] != 1)
            return BAD_STRUCTURE;
        Packet p = telemetry(3, 25, source);
        put(&p, 1, 1);
        put(&p, (uint32_t)(10132500 + offset_cPa), 4);
        put(&p, 29515, 2);
        put(&p, 0, 1);
        const uint8_t *unsent = challenge(tc, n);
        if (unsent) {
            uint8_t tag[8];
            put(&p, ANSWER, 1);
            p.octet[5] = (uint8_t)(p.n + sizeof tag + 2 - 7);
            sign(tag, keys + 16, p.octet, p.n, unsent);
            memcpy(p.octet + p.n, tag, sizeof tag);
            p.n += sizeof tag;
        }
        send_packet(&p);
        return 0;
    }
    if (data[1] != 0)
        return BAD_PARAMETER;
    if (tc[8] == 1) {
        Packet p = telemetry(20, 2, source);
        put(&p, 1, 1);
        put(&p, 0, 1);
        put(&p, (uint32_t)offset_cPa, 4);
        send_packet(&p);
        return 0;
    }
    if (!again) {
        int32_t value = (int32_t)get(data + 2, 4);
        if (value < OFFSET_LOW || value > OFFSET_HIGH)
            return BAD_RANGE;
        offset_cPa = value;
    }
    return 0;
}

static void telecommand(const uint8_t *tc, size_t n)
{
    int failure = acceptable(tc, n);
    bool again = false;
    if (!failure && guarded(tc) && (failure = judge_trailer(tc, n, &again)))
        refuse(failure);
    if (failure) {
        verify(tc, 2, failure);
        return;
    }
    if (tc[6] & ACCEPTANCE)
        verify(tc, 1, 0);
    int request = (int)get(tc + 2, 2);
    int check = (int)get(tc + n - 2, 2);
    if (!keyed)
        again = request == last_request && check == last_check;
    last_request = request;
    last_check = check;
    failure = execute(tc, n, again);
    if (again)
        failure = last_failure;
    else if (!keyed || guarded(tc))
        last_failure = failure;
    if (guarded(tc) && !again && !failure)
        event(COMMANDED, (uint8_t)(128 + tc[12]), get(tc + 9, 2));
    if (failure)
        verify(tc, 8, failure);
    else if (tc[6] & COMPLETION)
        verify(tc, 7, 0);
}

/* ---- frames in */

static void frame_ended(void)
{
    uint8_t packet[STUFFED_MAX];
    size_t n = 0, i = 0;
    if (filled > STUFFED_MAX)
        return;
    while (i < filled) {
        size_t run = stuffed[i++];
        if (i + run - 1 > filled)
            return;
        for (size_t k = 1; k < run; k++)
            packet[n++] = stuffed[i++];
        if (i < filled)
            packet[n++] = 0;
    }
    if (n < TC_OVERHEAD || n != get(packet + 4, 2) + 7)
        return;
    if (crc(packet, n) != 0)
        return;
    if (get(packet, 2) != (0x1800 | APID) || packet[2] >> 6 != 3)
        return;
    telecommand(packet, n);
}

int main(int words, char **word)
{
    uint8_t in[256];
    ssize_t n;
    if (words > 1 && !(read_keys(word[1]) && draw_session())) {
        fprintf(stderr, "no keys in %s\n", word[1]);
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &boot_time);
    crc_init();
    boot_event();
    while ((n = read(STDIN_FILENO, in, sizeof in)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (in[i] == 0) {
                if (filled)
                    frame_ended();
                filled = 0;
            } else {
                if (filled < STUFFED_MAX)
                    stuffed[filled] = in[i];
                if (filled <= STUFFED_MAX)
                    filled++;
            }
        }
    }
    return 0;
}
