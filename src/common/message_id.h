/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What entries of the journal are about, MESSAGE_ID in systemd.journal-fields(7). */
#ifndef PSC_MESSAGE_ID_H
#define PSC_MESSAGE_ID_H

/* Of a refusal, of refused tampering, and of a count of both that were not reported. */
#define PSC_MESSAGE_ID_REFUSED "25453497c04e4e2982289b4a18a175f3"
#define PSC_MESSAGE_ID_TAMPER "a9ae6b64924047a3985c08849eb6289c"
#define PSC_MESSAGE_ID_SUPPRESSED "dc5841b20e754856a7bc662e786f22d6"

#endif
