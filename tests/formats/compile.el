;; Prints what compilation-mode makes of a file: emacs --batch -Q -l BLOCK-OF-docs/editors.md -l compile.el FILE
(let ((name (car command-line-args-left)))
  (with-temp-buffer
    (insert-file-contents name)
    (compilation-mode)
    (setq-local compilation-error-regexp-alist '(gvtg-xml))
    (let ((inhibit-read-only t)) (compilation--ensure-parse (point-max)))
    (goto-char (point-min))
    (while (not (eobp))
      (let ((message (get-text-property (point) 'compilation-message)))
        (when message
          (let ((location (compilation--message->loc message)))
            (princ (format "%s:%d:%d:%d\n"
                           (caar (compilation--loc->file-struct location))
                           (compilation--loc->line location)
                           (compilation--loc->col location)
                           (compilation--message->type message))))))
      (forward-line))))
