/* What kind of address a connection goes to, so that a server cannot point us at what only we can reach. */
#include "common/http/internal.h"

#include "common/base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* The registries of special-purpose addresses: IANA, RFC 6890. */
static enum address_class class_of_v4(uint32_t address) {
    static const struct {
        uint32_t network, mask;
        enum address_class class;
    } ranges[] = {
        {0x7f000000, 0xff000000, ADDRESS_LOOPBACK},   {0xa9fe0000, 0xffff0000, ADDRESS_LINK_LOCAL},
        {0x0a000000, 0xff000000, ADDRESS_PRIVATE},    {0xac100000, 0xfff00000, ADDRESS_PRIVATE},
        {0xc0a80000, 0xffff0000, ADDRESS_PRIVATE},    {0x64400000, 0xffc00000, ADDRESS_PRIVATE},
        {0x00000000, 0xff000000, ADDRESS_UNROUTABLE}, {0xc0000000, 0xffffff00, ADDRESS_UNROUTABLE},
        {0xc6120000, 0xfffe0000, ADDRESS_PRIVATE},    {0xe0000000, 0xe0000000, ADDRESS_UNROUTABLE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(ranges); i++)
        if ((address & ranges[i].mask) == ranges[i].network)
            return ranges[i].class;
    return ADDRESS_PUBLIC;
}

static uint32_t embedded_v4(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static enum address_class class_of_v6(const unsigned char *bytes) {
    static const unsigned char zeros[16], mapped[12] = {[10] = 0xff, [11] = 0xff}, nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    if (!memcmp(bytes, mapped, sizeof(mapped)) || !memcmp(bytes, nat64, sizeof(nat64)))
        return class_of_v4(embedded_v4(bytes + 12));
    if (bytes[0] == 0x20 && bytes[1] == 0x02)
        return class_of_v4(embedded_v4(bytes + 2));
    if (!memcmp(bytes, zeros, 15) && bytes[15] <= 1)
        return bytes[15] ? ADDRESS_LOOPBACK : ADDRESS_UNROUTABLE;
    if (!memcmp(bytes, zeros, 12))
        return class_of_v4(embedded_v4(bytes + 12));
    if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80)
        return ADDRESS_LINK_LOCAL;
    if ((bytes[0] & 0xfe) == 0xfc || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0xc0))
        return ADDRESS_PRIVATE;
    return bytes[0] == 0xff ? ADDRESS_UNROUTABLE : ADDRESS_PUBLIC;
}

enum address_class address_class_of(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        return class_of_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        return class_of_v6(v6.sin6_addr.s6_addr);
    }
    return ADDRESS_UNROUTABLE;
}

enum address_class address_class_of_literal(const char *host) {
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return class_of_v4(ntohl(v4.s_addr));
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return class_of_v6(v6.s6_addr);
    return ADDRESS_PUBLIC;
}
