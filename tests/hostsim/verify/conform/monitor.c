/* A monitor in C11, written from SPEC.md alone: it shares nothing with the project's codecs or its firmware.
 *
 * Talks on standard input and output in real time, keeps nothing over a reset, and has the least detector that the
 * specification permits: quick falls and levels.
 *     cc -std=c11 -O1 -o monitor monitor.c && cabinwatch conform "exec:./monitor" --role monitor
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { APID = 0x0A1, TRANSDUCER = 0x0A2, ANALYSER = 0x0A3 };
enum { PACKET_MAX = 60, STUFFED_MAX = 61, TC_OVERHEAD = 13, SAMPLE_SIZE = 30 };
enum { DAY_MS = 86400000, TICK_MS = 5, RECORDED = 16 };
enum { ACCEPTANCE = 1, COMPLETION = 8 };
enum { NORMAL, UNACKNOWLEDGED, ACKNOWLEDGED, RETURNED };
enum { NONE, ADVISORY, CAUTION, WARNING, EMERGENCY };
enum { NO_CAUSE, RAPID, LEVEL = 5, PERMIT = 7 };
enum { HEALTH_OK, BELOW_RANGE, SILENT = 4, IMPLAUSIBLE, STUCK, TIME };
enum { BY_TIME, COMMANDED, BY_FALL, BY_CLASS };
enum {
    BAD_VERSION = 1, BAD_SERVICE, BAD_SUBTYPE, BAD_LENGTH, BAD_COUNT, BAD_STRUCTURE, BAD_FUNCTION, BAD_ARGUMENT,
    BAD_PARAMETER, BAD_VALUE, NO_ALARM, STALE, NO_EVENT
};
enum { BOOT = 1, LINK_NOISE = 6, INHIBIT_ENDED = 7, INHIBITED = 18, OUT_OF_SERVICE = 19, IN_SERVICE = 20 };
enum { RISE, END, RETURN, AGAIN, ACKNOWLEDGE, REMINDER };
static const uint8_t event_id[2][6] = {{2, 3, 10, 11, 12, 13}, {4, 5, 14, 15, 16, 17}};
static const int32_t NO_LEAK = 1073741823;

/* ---- parameters, in the order of section 16 */

enum {
    POLL_PERIOD, REPLY_TIMEOUT, POLL_RETRIES, HK_PERIOD, PRESSURE_LOW, PRESSURE_HIGH, STUCK_SAMPLES, ANALYSER_PERIOD,
    BREATH, LOSS, THRESHOLD, STEP, HOLD, FAST, LAG, FLOOR, EMERGENCY_S, WARNING_S, CAUTION_S, RESERVE, WANDER, PERMITTED,
    OFF_DELAY, REMIND, BLIND_DELAY, BLIND_ESCALATE, LEVEL_WARNING, PARAMETERS
};
static const struct {
    int32_t standard, low, high;
} bounds[PARAMETERS] = {
    {1000, 100, 3600000}, {250, 20, 60000}, {2, 0, 5}, {10000, 1000, 86400000}, {100000, 0, 16000000},
    {12000000, 0, 16000000}, {120, 0, 100000}, {300000, 0, 86400000}, {45000, 0, 200000}, {2500, 0, 200000},
    {61, 40, 100}, {100000, 1000, 1000000}, {1200, 10, 7200}, {600, 60, 60000}, {60, 0, 120}, {500, 10, 10000},
    {3600, 0, 1073741822}, {86400, 0, 1073741822}, {2592000, 0, 1073741822}, {6532800, 0, 10000000},
    {1000, 10, 100000}, {60000, 0, 2000000}, {600, 0, 86400}, {3600, 0, 86400}, {10, 0, 3600}, {600, 0, 86400},
    {6970000, 0, 10000000},
};

/* ---- state: all of it begins at 0 with a boot */

typedef struct {
    uint8_t octet[PACKET_MAX];
    int n;
} Packet;

typedef struct {
    int now, now_cause; /* the class that is justified */
    int state, latched, cause, first_cause;
    uint16_t occurrence;
    int64_t first_ms, told_ms;
    int doublings;
    int64_t held_ms[4]; /* how long no more than that class has been justified; below 0: not now */
    int64_t suppressed_until_ms;
    bool suppressed;
} Alarm;

typedef struct {
    bool on;
    int below, above; /* samples in a row */
} Level;

static struct {
    uint8_t stuffed[STUFFED_MAX];
    int filled;
    uint16_t tm_count, poll_count, occurrence;
    uint16_t frames_ok, bad_crc, bad_framing, bad_size, rejected, timeouts;
    int discarded; /* since the last housekeeping time */
    int32_t parameter[PARAMETERS];
    int last_request, last_check, verdict; /* of the last accepted telecommand */
    bool reports_off;
    int64_t hk_ms, poll_ms, reply_ms, analyser_ms; /* when they are due */
    bool waiting, analyser_polled;
    int retries;

    int health;
    uint32_t pressure, temperature; /* of the last plausible sample */
    bool plausible, judged;         /* whether there was one; whether one came as far as its stamp */
    int same, later;
    int64_t stamp;
    int64_t window_stamp, window_own, window_own_last;
    int window;
    bool window_bad, mistimed;

    Alarm cabin, blind;
    int64_t blindness, blind_ms; /* in quarters of a millisecond; when it was counted last */
    int inhibited_class, permit_row;
    bool permit_known;
    int64_t permit_level;

    bool fed; /* whether the detector has a sample */
    int64_t fed_pressure, fed_stamp, top;
    int64_t rate_cPa_h;
    int quick, quick_cause;
    int32_t tres;
    Level reserve, warning;
    bool level_known;
    int64_t level_pressure, level_stamp;

    uint8_t event_number;
    int events;
    uint8_t record[RECORDED][19];
} s;
static struct timespec boot_time;
static int64_t now; /* ms since boot, for all that one step does */

static Alarm *const alarms[2] = {&s.cabin, &s.blind};
enum { CABIN, BLIND };

static int64_t since_boot(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = (int64_t)(t.tv_sec - boot_time.tv_sec) * 1000000000 + (t.tv_nsec - boot_time.tv_nsec);
    return ns / 1000000;
}

/* How far a stamp is after another, in ms: days count modulo 65536. */
static int64_t since(int64_t stamp, int64_t other)
{
    const int64_t round = 65536LL * DAY_MS;
    int64_t ms = (stamp - other + round) % round;
    return ms < round / 2 ? ms : ms - round;
}

/* ---- packets out */

static uint16_t crc(const uint8_t *p, int n)
{
    uint16_t r = 0xFFFF;
    while (n--) {
        r ^= (uint16_t)(*p++ << 8);
        for (int bit = 0; bit < 8; bit++)
            r = (uint16_t)((r << 1) ^ (r & 0x8000 ? 0x1021 : 0));
    }
    return r;
}

static void put(Packet *p, int64_t value, int octets)
{
    while (octets--)
        p->octet[p->n++] = (uint8_t)(value >> (8 * octets));
}

static uint32_t get(const uint8_t *p, int octets)
{
    uint32_t v = 0;
    while (octets--)
        v = v << 8 | *p++;
    return v;
}

static void put_time(Packet *p, int64_t ms)
{
    put(p, ms / DAY_MS, 2);
    put(p, ms % DAY_MS, 4);
}

static void send_packet(Packet *p)
{
    uint8_t frame[PACKET_MAX + 3] = {0};
    int code = 1, out = 2;
    p->octet[5] = (uint8_t)(p->n + 2 - 7);
    put(p, crc(p->octet, p->n), 2);
    for (int i = 0; i < p->n; i++) {
        if (p->octet[i])
            frame[out++] = p->octet[i];
        if (!p->octet[i]) {
            frame[code] = (uint8_t)(out - code);
            code = out++;
        }
    }
    frame[code] = (uint8_t)(out - code);
    frame[out++] = 0;
    for (int done = 0; done < out;) {
        ssize_t k = write(STDOUT_FILENO, frame + done, (size_t)(out - done));
        if (k <= 0)
            _exit(1);
        done += (int)k;
    }
}

static Packet telemetry(int service, int subtype, int destination)
{
    Packet p = {{0}, 0};
    put(&p, 0x0800 | APID, 2);
    put(&p, 0xC000 | s.tm_count, 2);
    s.tm_count = (s.tm_count + 1) & 0x3FFF;
    put(&p, 0, 2); /* the length, at the end */
    put(&p, 0x20, 1);
    put(&p, service, 1);
    put(&p, subtype, 1);
    put(&p, 0, 2);
    put(&p, destination, 2);
    put(&p, 0x40, 1);
    put_time(&p, since_boot());
    return p;
}

static void poll_instrument(int apid)
{
    Packet p = {{0}, 0};
    put(&p, 0x1800 | apid, 2);
    put(&p, 0xC000 | s.poll_count, 2);
    s.poll_count = (s.poll_count + 1) & 0x3FFF;
    put(&p, 0, 2);
    put(&p, 0x20, 1);
    put(&p, 3, 1);
    put(&p, 27, 1);
    put(&p, APID, 2);
    put(&p, 1, 1);
    put(&p, 1, 1);
    send_packet(&p);
}

/* ---- events */

static void event(int of, int class, int id, int cause, int64_t value, bool numbered)
{
    const Alarm *a = alarms[of];
    Packet p = telemetry(5, class, 0);
    if (numbered)
        s.event_number = (uint8_t)s.events++;
    put(&p, id, 1);
    put(&p, cause, 1);
    put(&p, value, 4);
    put(&p, a->occurrence, 2);
    put(&p, a->latched, 1);
    put(&p, a->cause, 1);
    put(&p, a->state, 1);
    put(&p, s.event_number, 1);
    if (numbered) {
        uint8_t *r = s.record[s.event_number % RECORDED];
        r[0] = s.event_number;
        r[1] = (uint8_t)class;
        r[2] = p.octet[20];
        memcpy(r + 3, p.octet + 14, 6);
        memcpy(r + 9, p.octet + 21, 10);
    }
    send_packet(&p);
}

/* ---- the detector: quick falls by their rate, levels by three samples in a row */

static void forget(void)
{
    s.fed = s.level_known = false;
    s.rate_cPa_h = s.quick = s.quick_cause = 0;
    s.tres = NO_LEAK;
    memset(&s.reserve, 0, sizeof s.reserve);
    memset(&s.warning, 0, sizeof s.warning);
}

static void justify(void)
{
    Alarm *a = &s.cabin;
    a->now = s.quick;
    a->now_cause = s.quick_cause;
    if (s.warning.on && a->now < WARNING) {
        a->now = WARNING;
        a->now_cause = LEVEL;
    }
    if (s.reserve.on) {
        a->now = EMERGENCY;
        a->now_cause = LEVEL;
    }
}

static void watch_level(Level *l, int64_t pressure, int64_t level, bool jumped)
{
    bool below = pressure <= level && level && !jumped;
    l->below = below ? l->below + 1 : 0;
    l->above = pressure > level + level / 512 ? l->above + 1 : 0;
    if (l->below >= 3)
        l->on = true;
    if (l->above >= 3)
        l->on = false;
}

static void watch_levels(int64_t pressure, int64_t stamp, bool asked)
{
    if (!asked && s.level_known && stamp == s.level_stamp)
        return;
    bool jumped = s.level_known && pressure > s.level_pressure + s.parameter[STEP];
    s.level_known = true;
    s.level_pressure = pressure;
    s.level_stamp = stamp;
    watch_level(&s.reserve, pressure, s.parameter[RESERVE], jumped);
    watch_level(&s.warning, pressure, s.parameter[LEVEL_WARNING], jumped);
}

static void watch_fall(int64_t pressure, int64_t stamp)
{
    int64_t ms = s.fed ? since(stamp, s.fed_stamp) : 0;
    if (ms > 0) {
        int64_t change = pressure - s.fed_pressure;
        int64_t rate = change * 3600000 / ms;
        s.rate_cPa_h = rate < -NO_LEAK ? -NO_LEAK : rate > NO_LEAK ? NO_LEAK : rate;
        s.quick = s.quick_cause = NONE;
        s.tres = NO_LEAK;
        if (-change * 60000 < s.parameter[FAST] * ms) {
            s.top = pressure;
        } else if (s.top - pressure > s.parameter[STEP]) {
            int64_t above = pressure - s.parameter[RESERVE];
            int64_t tres = above <= 0 ? 0 : above * ms / -change / 1000;
            s.tres = tres > NO_LEAK ? NO_LEAK : (int32_t)tres;
            s.quick = s.tres < s.parameter[EMERGENCY_S] ? EMERGENCY
                      : s.tres < s.parameter[WARNING_S] ? WARNING
                      : s.tres < s.parameter[CAUTION_S] ? CAUTION
                                                        : ADVISORY;
            s.quick_cause = RAPID;
        }
    } else {
        s.top = pressure;
    }
    s.fed = true;
    s.fed_pressure = pressure;
    s.fed_stamp = stamp;
}

/* ---- alarms */

static int64_t event_value(int of)
{
    return of == CABIN ? s.rate_cPa_h : s.pressure;
}

static void tell(int of, int what)
{
    Alarm *a = alarms[of];
    bool aloud = what == RISE || what == AGAIN || what == REMINDER;
    int cause = what == END ? a->latched : what == RETURN ? 0 : what == AGAIN ? a->now_cause : a->cause;
    if (aloud)
        a->told_ms = now;
    event(of, aloud ? a->latched : ADVISORY, event_id[of][what], cause, event_value(of), what != REMINDER);
}

static void settle(int of, int class) /* an acknowledged alarm goes lower, or an alarm ends */
{
    Alarm *a = alarms[of];
    a->latched = class;
    a->cause = class ? a->now_cause : 0;
    if (!class) {
        a->state = NORMAL;
        a->first_cause = 0;
        a->first_ms = 0;
    }
    tell(of, END);
}

static int64_t off_delay_ms(const Alarm *a)
{
    return (int64_t)s.parameter[OFF_DELAY] * 1000 << a->doublings;
}

static void hold(Alarm *a, int64_t ms) /* count the time for which no more than each class is justified */
{
    for (int c = NONE; c < EMERGENCY; c++)
        a->held_ms[c] = a->now > c ? -1 : a->held_ms[c] < 0 ? 0 : a->held_ms[c] + ms;
}

static void move(int of)
{
    Alarm *a = alarms[of];
    int64_t delay = off_delay_ms(a);
    if (a->suppressed)
        return;
    if (a->now > a->latched) {
        if (a->state == NORMAL) {
            a->first_cause = a->now_cause;
            a->first_ms = since_boot();
            a->doublings = 0;
        }
        a->state = UNACKNOWLEDGED;
        a->latched = a->now;
        a->cause = a->now_cause;
        s.occurrence = (uint16_t)(s.occurrence % 65534 + 1);
        a->occurrence = s.occurrence;
        tell(of, RISE);
        return;
    }
    if (a->state == NORMAL)
        return;
    bool clear = a->held_ms[NONE] >= delay;
    if (clear && of == BLIND && s.health == HEALTH_OK)
        s.blindness = 0;
    if (a->state == UNACKNOWLEDGED && clear) {
        a->state = RETURNED;
        tell(of, RETURN);
    } else if (a->state == ACKNOWLEDGED) {
        int left = NONE;
        while (left < a->latched && (left == EMERGENCY || a->held_ms[left] < delay))
            left++;
        if (left < a->latched)
            settle(of, left);
    } else if (a->state == RETURNED && a->now) {
        a->state = UNACKNOWLEDGED;
        if (a->doublings < 3)
            a->doublings++;
        tell(of, AGAIN);
    }
}

static void remind(int of)
{
    Alarm *a = alarms[of];
    bool aloud = a->state == UNACKNOWLEDGED || a->state == RETURNED;
    if (aloud && s.parameter[REMIND] && now - a->told_ms >= s.parameter[REMIND] * 1000LL)
        tell(of, REMINDER);
}

static int acknowledge(int occurrence)
{
    bool latched = false, found = false;
    for (int of = CABIN; of <= BLIND; of++) {
        Alarm *a = alarms[of];
        if (a->state == NORMAL)
            continue;
        latched = true;
        if (occurrence && occurrence != a->occurrence)
            continue;
        found = true;
        if (a->state == UNACKNOWLEDGED) {
            a->state = ACKNOWLEDGED;
            tell(of, ACKNOWLEDGE);
        } else if (a->state == RETURNED) {
            settle(of, NONE);
        }
    }
    return found ? 0 : latched ? STALE : NO_ALARM;
}

static void end_inhibit(int how)
{
    s.cabin.suppressed = false;
    s.inhibited_class = NONE;
    event(CABIN, ADVISORY, INHIBIT_ENDED, s.cabin.now, how, true);
    move(CABIN);
}

static void end_out_of_service(int how)
{
    s.blind.suppressed = false;
    event(BLIND, ADVISORY, IN_SERVICE, s.health, how, true);
    move(BLIND);
}

static void inhibit(int class, int seconds)
{
    if (!seconds) {
        if (s.cabin.suppressed)
            end_inhibit(COMMANDED);
        return;
    }
    if (!s.cabin.suppressed) {
        s.permit_known = s.plausible;
        s.permit_level = s.pressure;
        s.permit_row = 0;
    }
    s.cabin.suppressed = true;
    s.cabin.suppressed_until_ms = now + seconds * 1000LL;
    s.inhibited_class = class ? class : EMERGENCY;
    event(CABIN, ADVISORY, INHIBITED, s.inhibited_class, seconds, true);
    if (s.cabin.now > s.inhibited_class)
        end_inhibit(BY_CLASS);
}

static void out_of_service(int seconds)
{
    if (!seconds) {
        if (s.blind.suppressed)
            end_out_of_service(COMMANDED);
        return;
    }
    s.blind.suppressed = true;
    s.blind.suppressed_until_ms = now + seconds * 1000LL;
    event(BLIND, ADVISORY, OUT_OF_SERVICE, 3, seconds, true);
}

/* ---- blindness, in the monitor's time */

static void count_blindness(void)
{
    int64_t most = s.parameter[BLIND_DELAY], ms = now - s.blind_ms;
    if (most < s.parameter[BLIND_ESCALATE])
        most = s.parameter[BLIND_ESCALATE];
    s.blind_ms = now;
    s.blindness += s.health ? 4 * ms : -ms;
    if (s.blindness > most * 4000)
        s.blindness = most * 4000;
    if (s.blindness < 0)
        s.blindness = 0;
    hold(&s.blind, ms);
}

static void judge_blindness(void)
{
    Alarm *a = &s.blind;
    a->now = NONE;
    if (s.health && s.blindness >= s.parameter[BLIND_DELAY] * 4000LL)
        a->now = CAUTION;
    if (s.health && s.blindness >= s.parameter[BLIND_ESCALATE] * 4000LL)
        a->now = WARNING;
    a->now_cause = s.health;
    hold(a, 0);
    move(BLIND);
}

/* ---- samples */

static bool stuck(uint32_t pressure, uint32_t temperature)
{
    bool alike = s.plausible && pressure == s.pressure && temperature == s.temperature;
    s.same = alike ? s.same + 1 : 0;
    return s.parameter[STUCK_SAMPLES] && s.same >= s.parameter[STUCK_SAMPLES];
}

static void begin_window(void)
{
    s.window = 0;
    s.window_stamp = s.window_own = 0;
}

static void time_window(int64_t ms)
{
    int size = s.parameter[STUCK_SAMPLES] / 2;
    int64_t own = now - s.window_own_last;
    if (!s.parameter[STUCK_SAMPLES]) {
        begin_window();
        s.window_bad = false;
        return;
    }
    s.window_stamp += ms;
    s.window_own += own < DAY_MS ? own : DAY_MS;
    s.window++;
    if (s.window < size && s.window_stamp <= 268435455 && s.window_own <= 268435455)
        return;
    s.window_bad = s.window_stamp * 2 < s.window_own || s.window_stamp > s.window_own * 2;
    begin_window();
}

/* The health that the stamp gives, and whether the sample is a new one. */
static int judge_stamp(int64_t stamp, bool is_time, bool *fresh)
{
    int64_t ms = s.judged ? since(stamp, s.stamp) : 0;
    bool back = ms < 0;
    *fresh = !s.judged || ms;
    if (back || !is_time) {
        s.mistimed = true;
        s.later = 0;
        begin_window();
    } else if (s.judged) {
        if (*fresh && s.mistimed && ++s.later >= 3)
            s.mistimed = false;
        time_window(ms);
    }
    s.window_own_last = now;
    s.judged = true;
    s.stamp = stamp;
    return s.mistimed || s.window_bad ? TIME : HEALTH_OK;
}

static int judge(uint32_t pressure, uint32_t temperature, int status, int64_t stamp, bool is_time, bool *fresh)
{
    *fresh = true;
    bool low = status == BELOW_RANGE || (!status && pressure < (uint32_t)s.parameter[PRESSURE_LOW]);
    if (low && s.judged) {
        s.stamp = stamp;
        s.window_own_last = now;
    }
    if (status)
        return status;
    if (low || pressure > (uint32_t)s.parameter[PRESSURE_HIGH] || temperature < 10000)
        return IMPLAUSIBLE;
    bool same = stuck(pressure, temperature);
    s.pressure = pressure;
    s.temperature = temperature;
    s.plausible = true;
    return same ? STUCK : judge_stamp(stamp, is_time, fresh);
}

static void watch_permit(void)
{
    if (!s.permit_known) {
        s.permit_known = true;
        s.permit_level = s.pressure;
    }
    bool fallen = s.pressure < s.permit_level - s.parameter[PERMITTED] || s.pressure <= (uint32_t)s.parameter[RESERVE];
    s.permit_row = fallen ? s.permit_row + 1 : 0;
    if (s.permit_row < 3)
        return;
    if (s.cabin.now < EMERGENCY) {
        s.cabin.now = EMERGENCY;
        s.cabin.now_cause = PERMIT;
    }
    end_inhibit(BY_FALL);
}

static void sample(const uint8_t *tm)
{
    int64_t ms_of_day = get(tm + 16, 4), stamp = (int64_t)get(tm + 14, 2) * DAY_MS + ms_of_day;
    uint32_t pressure = get(tm + 21, 4), temperature = get(tm + 25, 2);
    int status = tm[27];
    bool asked = s.waiting, fresh;
    int64_t gap = since(stamp, s.fed_stamp);
    s.waiting = false;
    count_blindness();
    s.health = judge(pressure, temperature, status, stamp, ms_of_day < DAY_MS, &fresh);
    if (status <= BELOW_RANGE)
        watch_levels(pressure, stamp, asked);
    else
        s.reserve.below = s.reserve.above = s.warning.below = s.warning.above = 0;
    bool good = s.health == HEALTH_OK && fresh;
    if (good)
        watch_fall(pressure, stamp);
    justify();
    if (good && s.cabin.suppressed)
        watch_permit();
    if (good)
        hold(&s.cabin, gap > 0 && gap < DAY_MS ? gap : 0);
    else if (s.cabin.now)
        hold(&s.cabin, 0);
    if (s.cabin.suppressed && s.cabin.now > s.inhibited_class)
        end_inhibit(BY_CLASS);
    move(CABIN);
    judge_blindness();
    if (s.parameter[ANALYSER_PERIOD] && (!s.analyser_polled || now >= s.analyser_ms + s.parameter[ANALYSER_PERIOD])) {
        s.analyser_polled = true;
        s.analyser_ms = now;
        poll_instrument(ANALYSER);
    }
}

/* ---- reports */

static void housekeeping(int destination)
{
    Packet p = telemetry(3, 25, destination);
    const Alarm *c = &s.cabin, *b = &s.blind;
    int flags = (c->state == ACKNOWLEDGED) | c->suppressed << 1 | !s.reports_off << 3 | (c->state == RETURNED) << 4 |
                (b->state != NORMAL) << 5 | (b->state == ACKNOWLEDGED) << 6 | b->suppressed << 7;
    put(&p, 1, 1);
    put(&p, c->latched, 1);
    put(&p, c->now, 1);
    put(&p, c->now_cause, 1);
    put(&p, s.health, 1);
    put(&p, flags, 1);
    put(&p, 0, 1); /* no law */
    put(&p, s.pressure, 4);
    put(&p, s.temperature, 2);
    put(&p, s.rate_cPa_h, 4);
    put(&p, 0, 4); /* sigma */
    put(&p, s.reserve.on ? 0 : s.tres, 4);
    put(&p, s.frames_ok, 2);
    put(&p, s.bad_crc, 2);
    put(&p, s.bad_framing, 2);
    put(&p, s.bad_size, 2);
    put(&p, s.rejected, 2);
    put(&p, s.timeouts, 2);
    put(&p, s.event_number, 1);
    send_packet(&p);
}

static void report_alarms(int destination)
{
    Packet p = telemetry(128, 4, destination);
    for (int of = CABIN; of <= BLIND; of++) {
        const Alarm *a = alarms[of];
        put(&p, a->state, 1);
        put(&p, a->latched, 1);
        put(&p, a->cause, 1);
        put(&p, a->first_cause, 1);
        put(&p, a->occurrence, 2);
        put_time(&p, a->first_ms);
        put(&p, a->suppressed ? (a->suppressed_until_ms - now + 999) / 1000 : 0, 2);
    }
    put(&p, s.inhibited_class, 1);
    send_packet(&p);
}

static int report_event(int number, int destination)
{
    for (int i = 0; i < RECORDED && i < s.events; i++) {
        if (s.record[i][0] != number)
            continue;
        Packet p = telemetry(128, 2, destination);
        memcpy(p.octet + p.n, s.record[i], sizeof s.record[i]);
        p.n += (int)sizeof s.record[i];
        send_packet(&p);
        return 0;
    }
    return NO_EVENT;
}

/* ---- telecommands */

static void boot(int cause);

static void set_parameter(int i, int32_t value)
{
    s.parameter[i] = value;
    if (s.poll_ms > now + s.parameter[POLL_PERIOD])
        s.poll_ms = now + s.parameter[POLL_PERIOD];
    if (s.hk_ms > now + s.parameter[HK_PERIOD])
        s.hk_ms = now + s.parameter[HK_PERIOD];
}

/* The highest argument of each function; 1 and 3 have more to say. */
static const int argument_max[] = {-1, 0xFFFF, 0, 0xFFFF, 0, 0, 7200, 13};

static int perform(int function, int argument, bool again)
{
    if (function < 1 || function > 7)
        return BAD_FUNCTION;
    int class = argument >> 13, seconds = argument & 8191;
    if (argument > argument_max[function])
        return BAD_ARGUMENT;
    if (function == 3 && (seconds > 7200 || class > EMERGENCY || (class && !seconds)))
        return BAD_ARGUMENT;
    if (again)
        return 0;
    switch (function) {
    case 1:
        return acknowledge(argument);
    case 2:
        if (s.cabin.now)
            inhibit(0, 0);
        forget();
        justify();
        s.cabin.doublings = 3;
        break;
    case 3:
        inhibit(class, seconds);
        break;
    case 5:
        for (int i = 0; i < PARAMETERS; i++)
            set_parameter(i, bounds[i].standard);
        break;
    case 6:
        out_of_service(argument);
        break;
    }
    return 0;
}

static int parameter(const uint8_t *tc, bool again, int source)
{
    int i = tc[12];
    int32_t value = (int32_t)get(tc + 13, 4);
    if (i >= PARAMETERS)
        return BAD_PARAMETER;
    if (tc[8] == 1) {
        Packet p = telemetry(20, 2, source);
        put(&p, 1, 1);
        put(&p, i, 1);
        put(&p, s.parameter[i], 4);
        send_packet(&p);
        return 0;
    }
    if (value < bounds[i].low || value > bounds[i].high)
        return BAD_VALUE;
    if (!again)
        set_parameter(i, value);
    return 0;
}

static void verify(const uint8_t *tc, int subtype, int failure)
{
    Packet p = telemetry(1, subtype, (int)get(tc + 9, 2));
    put(&p, get(tc, 4), 4);
    if (failure)
        put(&p, failure, 1);
    send_packet(&p);
}

/* Service, subtype and octets of data of all that a monitor takes. */
static const uint8_t known[][3] = {{3, 5, 2},  {3, 6, 2},  {3, 27, 2}, {8, 1, 3},  {17, 1, 0},
                                   {20, 1, 2}, {20, 3, 6}, {128, 1, 1}, {128, 3, 0}};

static int acceptable(const uint8_t *tc, int n)
{
    int verdict = BAD_SERVICE;
    if (tc[6] >> 4 != 2)
        return BAD_VERSION;
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i][0] != tc[7])
            continue;
        if (known[i][1] == tc[8])
            return n - TC_OVERHEAD == known[i][2] ? 0 : BAD_LENGTH;
        verdict = BAD_SUBTYPE;
    }
    return verdict;
}

static int execute(const uint8_t *tc, bool again)
{
    int source = (int)get(tc + 9, 2);
    const uint8_t *data = tc + 11;
    if ((tc[7] == 3 || tc[7] == 20) && data[0] != 1)
        return BAD_COUNT;
    switch (tc[7]) {
    case 3:
        if (data[1] != 1)
            return BAD_STRUCTURE;
        if (tc[8] == 27)
            housekeeping(source);
        else if (!again)
            s.reports_off = tc[8] == 6;
        return 0;
    case 8:
        return perform(data[0], (int)get(data + 1, 2), again);
    case 17: {
        Packet p = telemetry(17, 2, source);
        send_packet(&p);
        return 0;
    }
    case 20:
        return parameter(tc, again, source);
    }
    if (tc[8] == 1)
        return report_event(data[0], source);
    report_alarms(source);
    return 0;
}

static void telecommand(const uint8_t *tc, int n)
{
    int failure = acceptable(tc, n);
    if (failure) {
        verify(tc, 2, failure);
        return;
    }
    if (tc[6] & ACCEPTANCE)
        verify(tc, 1, 0);
    int request = (int)get(tc + 2, 2), check = (int)get(tc + n - 2, 2);
    bool again = request == s.last_request && check == s.last_check;
    s.last_request = request;
    s.last_check = check;
    if (!again)
        s.verdict = execute(tc, false);
    else if (!s.verdict)
        execute(tc, true);
    if (s.verdict)
        verify(tc, 8, s.verdict);
    else if (tc[6] & COMPLETION)
        verify(tc, 7, 0);
    if (!again && !s.verdict && tc[7] == 8 && tc[11] == 4)
        boot(1);
}

/* ---- frames in */

static void packet_in(const uint8_t *packet, int n)
{
    uint32_t id = get(packet, 2);
    if (packet[2] >> 6 != 3) {
        s.rejected++;
    } else if (id == (0x1800 | APID)) {
        telecommand(packet, n);
    } else if (id == (0x0800 | TRANSDUCER)) {
        if (n == SAMPLE_SIZE && packet[6] >> 4 == 2 && packet[7] == 3 && packet[8] == 25 && packet[13] == 0x40 &&
            packet[20] == 1)
            sample(packet);
    } else if (id != (0x0800 | ANALYSER)) {
        s.rejected++;
    }
}

static void discard(uint16_t *counter)
{
    ++*counter;
    s.discarded++;
}

static void frame_ended(void)
{
    uint8_t packet[STUFFED_MAX];
    int n = 0, i = 0;
    if (s.filled > STUFFED_MAX) {
        discard(&s.bad_size);
        return;
    }
    while (i < s.filled) {
        int run = s.stuffed[i++];
        if (i + run - 1 > s.filled) {
            discard(&s.bad_framing);
            return;
        }
        for (int k = 1; k < run; k++)
            packet[n++] = s.stuffed[i++];
        if (i < s.filled)
            packet[n++] = 0;
    }
    if (n < TC_OVERHEAD || n != (int)get(packet + 4, 2) + 7) {
        discard(&s.bad_framing);
    } else if (crc(packet, n)) {
        discard(&s.bad_crc);
    } else {
        s.frames_ok++;
        packet_in(packet, n);
    }
}

static void octet_in(uint8_t octet)
{
    if (octet) {
        if (s.filled < STUFFED_MAX)
            s.stuffed[s.filled] = octet;
        if (s.filled <= STUFFED_MAX)
            s.filled++;
    } else if (s.filled) {
        frame_ended();
        s.filled = 0;
    }
}

/* ---- what time brings */

static void housekeeping_time(void)
{
    int n = s.discarded;
    s.hk_ms += s.parameter[HK_PERIOD];
    s.discarded = 0;
    if (n >= 10)
        event(CABIN, ADVISORY, LINK_NOISE, n < 255 ? n : 255, n, false);
    if (!s.reports_off)
        housekeeping(0);
}

static void ask_transducer(void)
{
    s.waiting = true;
    s.reply_ms = now + s.parameter[REPLY_TIMEOUT];
    poll_instrument(TRANSDUCER);
}

static void poll_time(void)
{
    if (s.waiting && now >= s.reply_ms) {
        s.timeouts++;
        if (s.retries++ < s.parameter[POLL_RETRIES]) {
            ask_transducer();
        } else {
            s.waiting = false;
            s.health = SILENT;
        }
    }
    if (!s.waiting && now >= s.poll_ms) {
        bool late = now - s.poll_ms >= s.parameter[POLL_PERIOD];
        s.poll_ms = (late ? now : s.poll_ms) + s.parameter[POLL_PERIOD];
        s.retries = 0;
        ask_transducer();
    }
}

static void step(void)
{
    now = since_boot();
    count_blindness();
    poll_time();
    judge_blindness();
    if (s.cabin.suppressed && now >= s.cabin.suppressed_until_ms)
        end_inhibit(BY_TIME);
    if (s.blind.suppressed && now >= s.blind.suppressed_until_ms)
        end_out_of_service(BY_TIME);
    remind(CABIN);
    remind(BLIND);
    while (now >= s.hk_ms)
        housekeeping_time();
}

static void boot(int cause)
{
    memset(&s, 0, sizeof s);
    clock_gettime(CLOCK_MONOTONIC, &boot_time);
    now = 0;
    for (int i = 0; i < PARAMETERS; i++)
        s.parameter[i] = bounds[i].standard;
    s.last_request = -1;
    s.hk_ms = s.parameter[HK_PERIOD];
    s.health = SILENT;
    for (int c = NONE; c < EMERGENCY; c++)
        s.cabin.held_ms[c] = s.blind.held_ms[c] = -1;
    forget();
    event(CABIN, ADVISORY, BOOT, cause, 0x04000200, true); /* no storage, version 0.2.0 */
}

int main(void)
{
    uint8_t in[256];
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    boot(0);
    for (;;) {
        step();
        if (poll(&input, 1, TICK_MS) <= 0)
            continue;
        ssize_t n = read(STDIN_FILENO, in, sizeof in);
        if (n <= 0)
            return 0;
        now = since_boot();
        for (ssize_t i = 0; i < n; i++)
            octet_in(in[i]);
    }
}
