// addresses.ts — what an address in the configuration must look like: of the web, of mail.
//
// Holds: a fault never shows an address of the web: its path may be the secret that lets a request in.

const MAIL_ADDRESS =
  /^(?:[^\s<>@,;"]+@[^\s<>@,;"]+|(?:"[^"\r\n]*"|[^<>@,;"\r\n]*)\s*<[^\s<>@,;"]+@[^\s<>@,;"]+>)$/;

export type Form = "webAddress" | "mailAddress";
/** What is wrong with a text that should be of the form. */
export const FORMS: Readonly<Record<Form, (text: string) => string | undefined>> = {
  webAddress: (text) => {
    const url = /^https?:\/\/./i.test(text) ? URL.parse(text) : null;
    if (url === null)
      return "is no whole address of http or https, allowed is one such as https://pager.example.com/wache";
    return url.username === "" && url.password === ""
      ? undefined
      : "holds a user name or password, allowed is an address without; take them out (a webhook's key signs what is sent)";
  },
  mailAddress: (text) =>
    MAIL_ADDRESS.test(text)
      ? undefined
      : `is ${JSON.stringify(text)}, allowed is one address, such as team@example.com or Team <team@example.com>`,
};
