/** One sheet for all our public pages: readable on a phone, light and dark, nothing loaded from elsewhere. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#f4f5f7;--card:#fff;--text:#17191c;--dim:#5b6370;--line:#c6ccd4;--accent:#0b6e55;
--on-accent:#fff;--bad:#b3261e;--bad-bg:#fdeceb;--code:#eef1f4}
@media (prefers-color-scheme:dark){:root{--bg:#101317;--card:#1a1e24;--text:#edf0f3;--dim:#a3adb9;--line:#4a535f;
--accent:#3ecfa5;--on-accent:#06231b;--bad:#ff9a92;--bad-bg:#3a1c1a;--code:#262c34}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;background:var(--bg);color:var(--text);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;display:flex;justify-content:center;padding:1rem}
main{width:100%;max-width:30rem;margin:auto;background:var(--card);border-radius:1rem;padding:2rem 1.75rem;
box-shadow:0 1px 2px rgb(0 0 0/.12),0 8px 32px rgb(0 0 0/.08)}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:1.75rem 0 .5rem}
p{margin:.5rem 0}
.lead{color:var(--dim);margin-bottom:1.25rem;overflow-wrap:anywhere}
label{display:block;font-weight:600;margin:1.1rem 0 .3rem}
.field{position:relative}
input{width:100%;font:inherit;font-size:1.05rem;padding:.7rem .8rem;border:1px solid var(--line);border-radius:.6rem;
background:var(--card);color:var(--text)}
input[readonly]{background:var(--code)}
input[aria-invalid=true]{border-color:var(--bad)}
input:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.hint{font-size:.9rem;color:var(--dim);margin:.3rem 0 0;overflow-wrap:anywhere}
.error{font-size:.95rem;color:var(--bad);margin:.3rem 0 0}
.error:empty,.error:not(:empty)+.hint .rule{display:none}
.banner{background:var(--bad-bg);color:var(--bad);border-radius:.6rem;padding:.7rem .9rem;margin:1rem 0}
button,.button{display:block;width:100%;margin-top:1.5rem;padding:.8rem 1rem;border:0;border-radius:.6rem;font:inherit;
font-weight:600;text-align:center;text-decoration:none;background:var(--accent);color:var(--on-accent);cursor:pointer}
button[disabled]{opacity:.6;cursor:progress}
.show{position:absolute;right:.3rem;top:.3rem;width:auto;margin:0;padding:.45rem .7rem;background:transparent;color:var(--accent)}
.has-show input{padding-right:5rem}
a{color:var(--accent)}
code{background:var(--code);border-radius:.35rem;padding:.1rem .35rem;font:0.95em ui-monospace,SFMono-Regular,Menlo,monospace;
overflow-wrap:anywhere}
ol{padding-left:1.3rem;margin:.5rem 0}
li{margin:.35rem 0}
.qr{display:block;width:12rem;max-width:100%;margin:1rem auto;padding:.6rem;background:#fff;border-radius:.6rem}
.qr svg{display:block;width:100%;height:auto}
@media (max-width:30rem){body{padding:0}main{border-radius:0;min-height:100vh;min-height:100dvh;margin:0;padding:1.5rem 1.15rem}}
`;
