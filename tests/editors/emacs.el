;; Drives Emacs with the configuration from docs/editors.md (the file `piece` in the current folder) on the domain virsh000000.xml.
;; Writes the findings to findings.json, the hover text to hover.txt and the result of a quick fix to quick.xml, then applies and saves
;; fix-all.
(require 'package)
(package-initialize)
(require 'json)
(require 'eglot)
(load-file "piece")
(setq eglot-sync-connect t)

(defun wait (what condition)
  (let ((end (+ (float-time) 30)))
    (while (not (funcall condition))
      (when (> (float-time) end) (error "timed out waiting for %s" what))
      (accept-process-output nil 0.02))))

(find-file "virsh000000.xml")
;; eglot-ensure starts the server after a command, and a batch Emacs runs none.
(apply #'eglot (eglot--guess-contact))
(flymake-start)
(wait "findings" (lambda () (flymake-diagnostics)))

(defun severity (one)
  (pcase (flymake-diagnostic-type one) ('eglot-error 1) ('eglot-warning 2) (_ 3)))
(with-temp-file "findings.json"
  (insert (json-encode
           (let (found)
             (with-current-buffer "virsh000000.xml"
               (dolist (one (flymake-diagnostics) found)
                 (push `((message . ,(flymake-diagnostic-text one))
                         (line . ,(line-number-at-pos (flymake-diagnostic-beg one)))
                         (severity . ,(severity one)))
                       found)))))))

(goto-char (point-min))
(search-forward "<video>")
(backward-char 3)
(let ((hover (jsonrpc-request (eglot--current-server-or-lose) :textDocument/hover (eglot--TextDocumentPositionParams))))
  (with-temp-file "hover.txt" (insert (plist-get (plist-get hover :contents) :value))))

(let* ((actions (append (eglot-code-actions (point) (point) "quickfix") nil))
       (wanted (seq-find (lambda (action) (equal (plist-get action :title) "Remove the <video>")) actions)))
  (eglot--apply-workspace-edit (plist-get wanted :edit)))
(let ((text (buffer-string)))
  (with-temp-file "quick.xml" (insert text)))
;; Choose the only action without asking.
(let ((before (buffer-string)))
  (cl-letf (((symbol-function 'completing-read) (lambda (_ all &rest _) (car (all-completions "" all)))))
    (eglot-code-actions (point-min) (point-max) "source.fixAll.gvtg-xml" t))
  (wait "fix-all" (lambda () (not (equal before (buffer-string))))))
(save-buffer)
(eglot-shutdown (eglot--current-server-or-lose))
