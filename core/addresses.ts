// addresses.ts — what an address in the configuration must look like: of the web, of mail.
//
// Holds: a fault never shows an address of the web: its path may be the secret that lets a request in.

const MAIL_ADDRESS =
  /^(?:[^\s<>@,;"]+@[^\s<>@,;"]+|(?:"[^"\r\n]*"|[^<>@,;"\r\n]*)\s*<[^\s<>@,;"]+@[^\s<>@,;"]+>)$/;

/** Fetch opens none of these, as other protocols are spoken there. https://fetch.spec.whatwg.org/#bad-port */
export const CLOSED_PORTS: readonly number[] = [
  ...[0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101],
  ...[102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389],
  ...[427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636],
  ...[989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665],
  ...[6666, 6667, 6668, 6669, 6679, 6697, 10080],
];

export type Form = "webAddress" | "mailAddress";
/** What is wrong with a text that should be of the form. */
export const FORMS: Readonly<Record<Form, (text: string) => string | undefined>> = {
  webAddress: (text) => {
    const url = /^https?:\/\/./i.test(text) ? URL.parse(text) : null;
    if (url === null)
      return "is no whole address of http or https, allowed is one such as https://pager.example.com/wache";
    if (url.username !== "" || url.password !== "")
      return "holds a user name or password, allowed is an address without; take them out (a webhook's key signs what is sent)";
    return url.port !== "" && CLOSED_PORTS.includes(Number(url.port))
      ? `names port ${url.port}, to which nothing is ever sent by HTTP as another protocol has it, allowed is any other; let the receiver listen on one such as 8443`
      : undefined;
  },
  mailAddress: (text) =>
    MAIL_ADDRESS.test(text)
      ? undefined
      : `is ${JSON.stringify(text)}, allowed is one address, such as team@example.com or Team <team@example.com>`,
};
