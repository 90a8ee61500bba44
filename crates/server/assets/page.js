// The only script of the pages, which all work without it: a form that carries an answer back is sent by itself.
"use strict";
for (const form of document.querySelectorAll("form[data-submit]")) {
    form.submit();
}
