"""The certificate for anybody: a posterior density that somebody else wrote, against the kernel's."""
