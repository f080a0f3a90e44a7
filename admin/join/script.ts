/**
 * What the page does beyond plain HTML: it asks the server while the person types what is wrong (the rules stand in one
 * place, there), shows the password on request, and keeps a double click from sending twice. Without it all works too.
 */
export const SCRIPT = `
const form=document.querySelector("form");
const fields=["username","password"].map((name)=>({name,input:form.elements[name],error:document.getElementById(name+"-error"),touched:false}));
let timer,asked=0;
const show=(field,text)=>{field.error.textContent=text||"";
  if(text)field.input.setAttribute("aria-invalid","true");else field.input.removeAttribute("aria-invalid")};
async function check(){
  const mine=++asked;
  try{
    const body=new URLSearchParams(fields.map((f)=>[f.name,f.input.value]));
    const answer=await fetch(location.pathname+"/check",{method:"POST",body});
    if(!answer.ok||mine!==asked)return;
    const problems=await answer.json();
    for(const f of fields)if(f.touched&&f.input.value!=="")show(f,problems[f.name]);
  }catch{/* offline: sending the form says what is wrong */}
}
for(const f of fields){
  f.input.addEventListener("input",()=>{f.touched=true;show(f,"");clearTimeout(timer);timer=setTimeout(check,300)});
  f.input.addEventListener("change",()=>{f.touched=true;clearTimeout(timer);void check()});
}
const password=form.elements.password,button=document.createElement("button");
button.type="button";button.className="show";button.textContent="Show";button.setAttribute("aria-label","Show the password");
button.addEventListener("click",()=>{const hidden=password.type==="password";password.type=hidden?"text":"password";
  button.textContent=hidden?"Hide":"Show";button.setAttribute("aria-label",(hidden?"Hide":"Show")+" the password")});
password.parentElement.classList.add("has-show");password.parentElement.append(button);
const send=form.querySelector("[type=submit]");
form.addEventListener("submit",()=>{send.disabled=true;send.textContent="Creating your account…"});
addEventListener("pageshow",()=>{send.disabled=false;send.textContent="Create account"});
`;
